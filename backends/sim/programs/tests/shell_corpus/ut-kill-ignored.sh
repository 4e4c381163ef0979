# A shell without job control lets what runs in the background ignore SIGINT and SIGQUIT, and exec keeps that.
# A job says so by a FIFO, for until it runs, the signals that its shell had would kill it.
exec 2>/dev/null
mkfifo ready
for signal in INT QUIT TERM HUP; do
  { echo >ready; exec sleep 0.3; } & read -r _ <ready
  /bin/kill -s $signal $!; wait $!; echo $signal $?
done
# A trap that the job sets for itself cannot bring back what was ignored when it began.
{ trap 'echo caught; exit 3' INT TERM; echo >ready; sleep 0.2; sleep 0.2; echo over; } & read -r _ <ready
/bin/kill -INT $!; wait $!; echo $?
{ trap 'echo caught; exit 3' INT TERM; echo >ready; sleep 0.2; sleep 0.2; echo over; } & read -r _ <ready
/bin/kill -TERM $!; wait $!; echo $?
# A job of a job, a subshell and a pipeline are no exceptions; commands that are waited for are.
( { echo >ready; exec sleep 0.3; } & read -r _ <ready; /bin/kill -INT $!; wait $!; echo $? )
{ { echo >ready; exec sleep 0.3; } | cat; } & read -r _ <ready; /bin/kill -INT $!; wait $!; echo $?
sh -c '/bin/kill -INT $$; echo survived'; echo $?
( sh -c '/bin/kill -INT $$; echo survived'; echo $? ) & wait $!; echo $?
( trap - INT; sh -c '/bin/kill -INT $$; echo survived'; echo $? ) & wait $!; echo $?
( trap '' TERM; exec sh -c '/bin/kill -TERM $$; echo survived' ); echo $?
