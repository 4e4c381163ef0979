true; echo $?; false; echo $?; true --foo bar; echo $?; false --foo; echo $?
sleep 0; echo $?; sleep 0.01; echo $?; sleep 0.01s 0.01; echo $?; sleep; echo $?; sleep x; echo $?; sleep 1x 2y; echo $?; sleep -1; echo $?; sleep 0x0; echo $?
yes | head -n 2; yes a b | head -n 2; yes '' | head -n 1; yes --foo; echo $?; yes | dd bs=8192 count=1 status=none | wc -c
(sleep 5 & kill $!; wait $!; echo $?) 2>/dev/null
