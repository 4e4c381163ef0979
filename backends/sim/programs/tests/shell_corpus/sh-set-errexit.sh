set -e
true; echo a
false || echo b
false && echo c
if false; then :; fi; echo d
while false; do :; done; echo e
! true; echo f
! false; echo g
x=$(false) || echo h
f() { false; echo in f; }
f || echo i
if f; then echo j; fi
{ false; echo k; } || :
(false; echo l) || echo m
case x in y) ;; esac; echo n
false | true; echo o
true && false || echo p
f
echo no
