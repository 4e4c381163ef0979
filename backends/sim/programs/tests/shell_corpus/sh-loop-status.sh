for i in 1 2; do (exit $i); done; echo $?
i=0
while [ $((i+=1)) -lt 3 ]; do (exit 5); continue; done; echo $?
for i in a; do false; break; done; echo $?
for i in a; do false && break; done; echo $?
