x=global y=Y
f() { local x=local; echo $x $y; y=changed; local z; z=1; g; echo $x; }
g() { echo "g $x $z"; x=g; }
f; echo $x $y [$z]
h() { local x; echo [$x]; x=; }
h; echo $x
i() { local a=1 b="2 3" c; echo $a "$b" [$c]; }
i; echo [$a$b]
r() { local n=$1; [ $n -gt 0 ] && r $((n-1)); echo $n; }
r 3
