# A pool of jobs by POSIX means only: collect all statuses, at most two at a time.
work() { sleep "0.0$1"; echo "job $1 done" >>done.log; return "$1"; }
pids=; failed=0
for n in 3 0 2 0 1; do work $n & pids="$pids $!:$n"; done
for entry in $pids; do
  wait "${entry%%:*}"; status=$?
  [ "$status" -eq "${entry##*:}" ] || echo "wrong: $entry $status"
  [ "$status" -ne 0 ] && failed=$((failed + 1))
done
echo "failed $failed"; sort done.log | uniq -c | sed 's/^ *//'
mkfifo slots; exec 4<>slots; echo >&4; echo >&4
for n in 1 2 3 4 5 6; do
  read -r _ <&4
  ( echo "begin" >>pool.log; sleep 0.02; echo "end" >>pool.log; echo >&4 ) &
done
wait; exec 4>&-
awk '/begin/ { n++; if (n > most) most = n } /end/ { n-- } END { print (most <= 2 ? "at most two" : most), n }' pool.log
wait 999999; echo "unknown: $?"; wait; echo "none: $?"
( exit 3 ) & a=$!; ( exit 4 ) & b=$!; wait $b $a; echo "last: $?"; wait $a; echo "again: $?"
sleep 5 & kill -9 $!; wait $! 2>/dev/null; echo "killed: $?"
{ sleep 0.05; exit 6; } & wait %1; echo "%1: $?"
true & false & wait; echo "all: $?"
out=$( { echo slow; } & wait; echo "in substitution $?" ); echo "$out"
set -m 2>/dev/null; set +m; sh -c 'sleep 0.01 & wait $!; echo "child $?"'
