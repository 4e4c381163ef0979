f() { trap 'echo f exit' EXIT; echo in f; }
f; echo after f
trap 'return 4' USR1
g() { kill -USR1 $$; echo no; }
g; echo $?
