(exit); echo $?
(false; exit); echo $?
(exit 0); echo $?; (exit 255); echo $?; (exit 256); echo $?; (exit 300); echo $?
(exit abc); echo $?
(exit -1); echo $?
sh -c 'exit 7'; echo $?
exit 9
