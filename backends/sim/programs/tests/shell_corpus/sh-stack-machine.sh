push() { n=$((n+1)); eval "s$n=\$1"; }
pop() { eval "top=\$s$n"; unset s$n; n=$((n-1)); }
n=0
for t in 3 4 + 2 '*' 7 -; do
case $t in
[0-9]*) push $t;;
*) pop; b=$top; pop; a=$top; push $(($a $t $b));;
esac
done
pop; echo $top $n
