# The shell reports killed jobs on its own standard error, at times of its choosing.
exec 2>/dev/null
sleep 5 & /bin/kill $!; wait $!; echo $?; sleep 5 & /bin/kill -9 $!; wait $!; echo $?; sleep 5 & /bin/kill -KILL $!; wait $!; echo $?
sleep 5 & /bin/kill -s INT $!; wait $!; echo $?; sleep 5 & /bin/kill -SIGUSR1 $!; wait $!; echo $?; sleep 5 & /bin/kill --signal HUP $!; wait $!; echo $?
/bin/kill -0 $$; echo $?; /bin/kill -s 0 $$; echo $?; /bin/kill x 2>&1; echo $?; /bin/kill 999999999 2>&1; echo $?
sleep 5 & p=$!; /bin/kill $p 999999998 2>&1; echo $?; wait $p; echo $?
/bin/kill -l; /bin/kill -l 9; /bin/kill -l TERM; /bin/kill -l 137 2>&1 | head -n 1; /bin/kill -L; /bin/kill -FOO 1 2>&1 | head -n 1; /bin/kill 2>&1; echo $?; /bin/kill -9 > /dev/null; echo $?
