f() { return; }
false; f; echo $?
g() { (exit 4); return; }
g; echo $?
h() { for i in 1 2 3; do [ $i = 2 ] && return $i; done; }
h; echo $?
i() { while :; do while :; do return 7; done; done; }
i; echo $?
j() { { return 1; }; echo no; }
j; echo $?
k() { eval 'return 5'; echo no; }
k; echo $?
l() { (return 6); echo sub $?; }
l
