# The shell reports killed jobs on its own standard error, at times of its choosing.
exec 2>/dev/null
sleep 5 & /bin/kill $!; wait $!; echo $?; sleep 5 & /bin/kill -9 $!; wait $!; echo $?; sleep 5 & /bin/kill -KILL $!; wait $!; echo $?
sleep 5 & /bin/kill -SIGUSR1 $!; wait $!; echo $?; sleep 5 & /bin/kill --signal HUP $!; wait $!; echo $?; sleep 5 & /bin/kill -s TERM $!; wait $!; echo $?
/bin/kill -0 $$; echo $?; /bin/kill -s 0 $$; echo $?; sleep 5 & p=$!; /bin/kill $p 999999998 2>&1; echo $?; wait $p; echo $?
sleep 5 & a=$!; sleep 5 & b=$!; /bin/kill -USR2 $a $b; wait $a; echo $?; wait $b; echo $?
