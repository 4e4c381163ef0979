timeout 5 echo fast; echo $?; timeout 0.1 sleep 5; echo $?; timeout 5 sh -c 'exit 3'; echo $?; timeout -s INT 0.1 sleep 5; echo $?
timeout -s KILL 0.1 sleep 5; echo $?; timeout --preserve-status 0.1 sleep 5; echo $?; timeout 0 true; echo $?
timeout -k 0.1 0.1 sh -c 'trap "" TERM; sleep 5; sleep 5'; echo $?; timeout 0.2 sh -c 'trap "echo got; exit 9" TERM; while :; do sleep 0.05; done'; echo $?
timeout --preserve-status 0.2 sh -c 'trap "exit 9" TERM; while :; do sleep 0.05; done'; echo $?
timeout; echo $?; timeout 1; echo $?; timeout x true; echo $?; timeout 1 nosuchcommand; echo $?; timeout -s FOO 1 true; echo $?; timeout -k x 1 true; echo $?
touch f; timeout 1 ./f; echo $?; timeout -v 0.1 sleep 5; echo $?; timeout 0.1m true; echo $?; timeout --foreground 0.1 sleep 5; echo $?; timeout 1 sh -c 'kill -9 $$'; echo $?
timeout -z 1 true; echo $?; timeout 0.1 sh -c 'sleep 5 & wait'; echo $?
