trap 'false' USR1
true; kill -USR1 $$; echo $?
(exit 3); kill -USR1 $$; echo $?
trap 'echo in $?' USR1
(exit 6) ; kill -USR1 $$
