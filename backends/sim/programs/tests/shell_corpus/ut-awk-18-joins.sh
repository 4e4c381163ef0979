printf '1 alice\n2 bob\n3 carol\n' > users
printf '2 book\n1 pen\n2 lamp\n9 none\n' > orders
awk 'NR == FNR {name[$1] = $2; next} $1 in name {print name[$1], $2; next} {print "unknown", $1}' users orders
awk '{sum[$1]++} END {for (i = 1; i < 10; i++) if (i in sum) print i, sum[i]}' orders
awk 'NR > 1 {print prev "->" $2} {prev = $2}' users
awk '{line[NR] = $0} END {for (i = NR; i > 0; i--) print line[i]}' users
awk '{printf "%s%s", sep, $2; sep = ","} END {print ""}' users
awk '{n = length($0)} n > max {max = n; longest = $0} END {print max, longest}' users
awk '{s += $1; q += $1 * $1} END {print s, s / NR, sqrt(q / NR - (s / NR) ^ 2)}' users
awk 'NR % 2' users; awk 'NR == 2; END {print NR}' users; awk 'length > 6' users
awk '{for (i = NF; i > 0; i--) printf "%s ", $i; print ""}' users
awk '{t = $1; $1 = $2; $2 = t; print}' users
awk 'BEGIN {while (("cat users" | getline) > 0) n[$2] = $1; for (k in n) print k, n[k] | "sort"; close("sort"); print "end"}'
