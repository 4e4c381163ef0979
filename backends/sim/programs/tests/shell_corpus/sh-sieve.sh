n=2; p=
while [ $n -lt 60 ]; do
ok=1
for q in $p; do [ $((q*q)) -gt $n ] && break; [ $((n%q)) -eq 0 ] && { ok=0; break; }; done
[ $ok = 1 ] && p="$p $n"
n=$((n+1))
done
echo $p
