a=0
a=1 b=$a env | grep '^b='
a=1 b=$a; echo $a $b
a=2 b=$a eval 'echo $b'
f() { echo $x $y; }
x=1 y=$x f
x=3 y=$x true; echo $x$y
PATH=/nosuch cat /dev/null; echo $?
PATH=/nosuch true; cat /dev/null; echo $?
