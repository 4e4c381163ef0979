f() { echo f; }
unset -f f
f; echo $?
g() { unset -f g; echo g; }
g; g; echo $?
