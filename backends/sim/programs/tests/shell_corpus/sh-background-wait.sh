(exit 3) & wait $!; echo $?
sleep 0.1 & p=$!; wait $p; echo $?
(exit 4) & p=$!; (exit 5) & q=$!; wait $p $q; echo $?; wait $p; echo $?
wait; echo $?
wait 999999; echo $?
wait abc; echo $?
true & false & wait; echo $?
x=1; x=2 & wait; echo $x
