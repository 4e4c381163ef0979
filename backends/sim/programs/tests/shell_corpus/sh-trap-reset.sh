trap 'echo t' TERM
(kill -TERM $(sh -c 'echo $PPID'); echo no); echo $?
sh -c 'kill -TERM $$; echo no'; echo $?
trap '' TERM
sh -c 'kill -TERM $$; echo ignored'; echo $?
