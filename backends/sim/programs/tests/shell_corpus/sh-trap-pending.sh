# A signal that comes again before its trap runs is one; several run in the order of their numbers.
trap 'echo usr1' USR1; trap 'echo hup' HUP; trap 'echo chld' CHLD
sh -c 'kill -USR1 $PPID; kill -HUP $PPID; kill -USR1 $PPID; kill -CHLD $PPID'; echo one
kill -USR1 $$; kill -HUP $$; echo two
trap - CHLD
sh -c 'kill -USR1 $PPID; kill -USR1 $PPID'; echo three
trap '' CHLD; sh -c 'exit 3'; echo $?; (exit 4) & wait $!; echo $?; sh -c 'sh -c "exit 5"; echo $?'; echo "$(exit 6)$?"
trap; trap 'echo ended' CHLD; sh -c 'exit 7'; echo $?
