f() { exit 4; }
(f; echo no); echo $?
f
echo no
