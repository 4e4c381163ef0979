sh -c 'kill -9 $$'; echo $?
sh -c 'kill -TERM $$'; echo $?
sh -c 'kill -INT $$'; echo $?
(kill -HUP $(sh -c 'echo $PPID')); echo $?
sh -c 'kill -PIPE $$' | cat; echo $?
x=$(sh -c 'kill -USR1 $$'); echo $?
