f() { f; }
f
echo no
