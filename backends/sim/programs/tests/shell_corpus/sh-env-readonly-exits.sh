readonly r=1
echo a
r=2
echo no
