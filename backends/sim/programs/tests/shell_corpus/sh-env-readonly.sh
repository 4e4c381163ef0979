readonly a=1 b
echo $a
(a=2; echo no); echo $?
(b=2; echo no); echo $?
(unset a; echo no); echo $?
(export a=5; echo no); echo $?
(readonly a=5; echo no); echo $?
(for a in x; do echo no; done); echo $?
(read a <<E
x
E
echo after $?); echo $?
(a=3 true; echo no); echo $?
readonly -p | grep '^readonly [ab]'
