x=1; unset x; echo [$x] ${x-unset}
unset nosuch; echo $?
x=1 y=2; unset x y; echo [$x$y]
f() { unset v; echo [$v]; }; v=1; f; echo [$v]
x=1; unset -v x; echo [$x]
