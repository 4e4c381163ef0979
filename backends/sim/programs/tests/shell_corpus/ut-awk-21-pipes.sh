seq 1 100 | awk '{s += $1} END {print s}'
seq 1 20 | awk 'NR % 5 == 0' | awk '{print $1 * 2}' | tail -1
printf 'k=v\nx=y=z\n' | awk -F= '{print $1 "|" substr($0, index($0, "=") + 1)}'
ps_like='root 1 0.0 init
user 22 1.5 sh
user 23 0.5 sleep'
echo "$ps_like" | awk '$1 == "user" {print $2}' | while read pid; do echo "pid $pid"; done
echo "$ps_like" | awk '$3 > max {max = $3; who = $4} END {print who, max}'
echo "$ps_like" | awk -v u=user '$1 == u {n++} END {print n + 0}'
x=$(echo '  spaced   out  ' | awk '{$1 = $1; print}'); echo "<$x>"
echo a b c | awk '{for (i = 1; i <= NF; i++) print i, $i}' | sort -rn | head -2
yes | awk 'NR == 1000 {print NR; exit}'
awk 'BEGIN {for (i = 0; i < 100000; i++) print "line"}' | head -1
seq 10 | awk 'BEGIN {while ((getline x) > 0) s += x; print s}'
seq 3 | awk '{print; fflush()} END {print "end"}' | cat
printf '%s\n' 10 9 100 | awk '{a[NR] = $1} END {m = a[1]; for (i in a) if (a[i] > m) m = a[i]; print m}'
echo 'x y z' | awk '{sub(/y/, "Y"); print $2; $2 = ""; print $0; print NF}'
