cat > data <<'E'
# name dept salary
ann,sales,1200.50
ben,it,2300
cat,sales,900.25

dan,it,2100.75
E
awk -F, '/^#/ || /^$/ {next} {total[$2] += $3; count[$2]++} END {
  for (d in total) printf "%-8s %3d %10.2f %8.2f\n", d, count[d], total[d], total[d] / count[d] | "sort"
}' data
awk -F, 'NF == 3 {print NR ": " toupper(substr($1, 1, 1)) substr($1, 2)}' data
awk -F, 'NF == 3 && $3 > 1000 {n++; s = s (s ? " " : "") $1} END {print n, s}' data
awk -F, 'BEGIN {printf "%-6s|%6s\n", "name", "pay"; print "------+-------"} NF == 3 {printf "%-6s|%6.0f\n", $1, $3}' data
awk '/^ben/, /^$/' data
awk 'BEGIN {RS = ""} {print NR, NF}' data
awk '{c += length($0) + 1; w += NF} END {print NR, w, c}' data; wc data | awk '{print $1, $2, $3}'
awk -F, '{a[NR % 3] = a[NR % 3] " " $1} END {for (i = 0; i < 3; i++) print i a[i]}' data
