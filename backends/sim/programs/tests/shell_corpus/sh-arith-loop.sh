i=0 s=0
while [ $i -lt 100 ]; do i=$((i+1)); s=$((s+i)); done
echo $i $s
a=0 b=1 n=0
while [ $((n+=1)) -le 20 ]; do printf '%d ' $a; c=$((a+b)) a=$b b=$c; done
echo
