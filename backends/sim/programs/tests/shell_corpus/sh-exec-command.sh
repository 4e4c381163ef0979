(exec echo a; echo no); echo $?
(exec sh -c 'exit 3'); echo $?
(exec nosuchcmd; echo no); echo $?
(exec /; echo no); echo $?
x=1; (x=2 exec env) | grep '^x='
exec echo last
echo no
