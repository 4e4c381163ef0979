printf 'a 1\nb 2\na 3\nc 4\nb 5\n' | awk '{s[$1] += $2; n[$1]++} END {for (k in s) print k, s[k], n[k]}' | sort
awk 'BEGIN {a["x"]; if ("x" in a) print "created"; if ("y" in a) print "no"; else print "absent"; if (a["z"] == "") print length(a)}'
awk 'BEGIN {a[1] = 1; a[2] = 2; a[3] = 3; delete a[2]; print length(a), (2 in a); delete a; print length(a)}'
awk 'BEGIN {a[1,2] = 3; a["x","y","z"] = 4; for (k in a) {n = split(k, p, SUBSEP); print n, p[1], p[2]}; if ((1,2) in a) print "yes"; if (!((2,1) in a)) print "no"}' | sort
awk 'BEGIN {SUBSEP = ":"; a[1,2] = 1; for (k in a) print k; print ("1:2" in a)}'
awk 'BEGIN {a["01"] = 1; a[1] = 2; print length(a), a["01"], a["1"], a[01]}'
echo '01' | awk '{a[$1] = 5; print a["01"], a[1] "."}'
awk 'BEGIN {for (i = 10; i > 0; i--) a[i] = i * i; for (i = 1; i <= 10; i++) printf "%d ", a[i]; print ""}'
awk 'BEGIN {for (k in none) print "never"; print length(none)}'
awk 'BEGIN {i = 1; a[i++] = i; a[i++] = i; print i; for (k = 1; k < 4; k++) print k, a[k]}' | head -1
awk 'BEGIN {a["x"] = 1; for (k in a) {a["y"] = 2; delete a[k]}; print ("x" in a), ("y" in a)}'
printf '%s\n' b a c a b a | awk '!seen[$0]++'
printf '%s\n' b a c a b a | awk '{c[$0]++} END {for (w in c) print c[w], w | "sort -rn"}'
