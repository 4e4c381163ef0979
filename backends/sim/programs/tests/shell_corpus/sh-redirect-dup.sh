echo a >&1; echo b 1>&1; echo c 2>&1
x=1; echo d >&$x
echo e >&2 2>/dev/null
{ echo f >&3; } 3>&1
cat <&0 </dev/null
fd=3
eval "exec $fd>dyn"; echo g >&3; exec 3>&-; cat dyn
