f() { echo "x=$x"; x=inner; }
x=outer
x=temp f
echo $x
y=1 f
echo [$y]
g() { env | grep '^zz='; }
zz=5 g
echo [$zz]
