for i in 1 2 3; do for j in a b c; do
case $i$j in 1b) continue;; 2b) break;; 3a) continue 2;; esac
echo $i$j; done; done
for i in 1 2; do while :; do echo in; break 2; done; echo no; done; echo out
for i in 1; do break 99; done; echo $?
break; continue; echo still
f() { break; echo inf; }
for i in 1 2; do f; echo l$i; done
for i in 1 2; do (break; echo nosub); echo x$i; done
for i in 1 2; do eval break; echo no; done; echo e
