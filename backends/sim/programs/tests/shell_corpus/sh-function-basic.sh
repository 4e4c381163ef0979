f() { echo "f $# $*"; }
f; f a; f a 'b c'
g() { return 3; echo no; }
g; echo $?
h() { false; }
h; echo $?
f() { echo redefined; }
f
i() ( x=5; echo $x )
x=1; i; echo $x
j() if true; then echo if; fi
j
k() { l() { echo inner; }; }
k; l
