# What each kind of process does with each signal, and what its parent sees.
exec 2>/dev/null
for sig in HUP INT QUIT USR1 USR2 PIPE ALRM TERM KILL CHLD CONT URG; do
  sh -c "kill -$sig \$\$; exit 3"; a=$?
  sh -c "trap 'exit 5' $sig; kill -$sig \$\$; exit 3"; b=$?
  sh -c "trap '' $sig; sh -c 'kill -$sig \$\$; exit 3'; exit \$?"; c=$?
  ( trap 'echo -n caught,' $sig; sh -c "kill -$sig \$PPID"; : ); d=$?
  echo "$sig $a $b $c $d"
done
sh -c 'kill -STOP $$; echo continued' & p=$!
until grep -q '^State:.*T' /proc/$p/status; do sleep 0.01; done; kill -CONT $p; wait $p; echo $?
sh -c 'trap "" HUP; exec sleep 0.1' & p=$!; until grep -q sleep /proc/$p/comm; do sleep 0.01; done; kill -HUP $p; wait $p; echo $?
trap 'echo usr1' USR1; kill -USR1 $$; echo after; ( kill -USR1 $$ ); echo "in order"
trap 'echo nested; kill -USR2 $$; echo "end of nested"' USR1; trap 'echo usr2' USR2; kill -USR1 $$; trap - USR1 USR2
kill -l 15 9 137; kill -l TERM; kill -0 $$; echo $?; kill -0 999999; echo $?; sh -c 'kill -9 $$'; echo $?
