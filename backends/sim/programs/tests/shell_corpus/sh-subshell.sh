(echo a; echo b)
x=1; (x=2; echo $x); echo $x
(cd /; pwd); [ "$(pwd)" = / ] || echo back
(exit 3); echo $?
( (echo n1); echo n2 )
((echo t1);echo t2)
(set -f; exit) ; echo $-
f() { echo outer; }; (f() { echo inner; }; f); f
(unset x; echo [$x]); echo $x
( : ); echo $?
