n=0
trap 'n=$((n+1))' USR1
for i in 1 2 3; do kill -USR1 $$; done
echo $n
while :; do kill -USR1 $$; [ $n -ge 6 ] && break; done; echo $n
