trap 'echo trapped' USR1
(sleep 0.2; kill -USR1 $$) &
sleep 1 & wait $!; echo $?
kill $!; wait 2>/dev/null; echo end
