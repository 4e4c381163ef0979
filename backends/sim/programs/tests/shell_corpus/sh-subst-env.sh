x=1
y=$(x=2; echo $x)
echo $x $y
f() { echo "f:$1"; }
echo $(f arg)
cd /
z=$(cd /tmp; pwd)
echo $z; pwd
