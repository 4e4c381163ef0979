/bin/kill x 2>&1; echo $?; /bin/kill 999999999 2>&1; echo $?; /bin/kill -l 137 2>&1 | head -n 1; /bin/kill -FOO 1 2>&1 | head -n 1
/bin/kill 2>&1; echo $?; /bin/kill -9 > /dev/null; echo $?
