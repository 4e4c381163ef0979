i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done
until [ $i -eq 0 ]; do i=$((i-1)); echo u$i; done
while false; do echo no; done; echo $?
i=0; while :; do i=$((i+1)); [ $i -eq 2 ] && continue; [ $i -gt 4 ] && break; echo $i; done; echo $?
while true; do false; break; done; echo $?
i=3; while i=$((i-1)); [ $i -gt 0 ]; do echo c$i; done
until (exit 0); do :; done; echo $?
i=0; while [ $i -lt 2 ]; do i=$((i+1)); (exit 9); done; echo $?
