set -x
echo a "b c"
x=1 y=2
x=3 echo d
for i in 1 2; do :; done
if true; then echo e; fi
f() { echo "f $1"; }
f arg >/dev/null
echo $(echo sub)
case a in a) echo f;; esac
[ 1 = 1 ] && echo g
(echo sub)
{ set +x; } 2>/dev/null
echo off
