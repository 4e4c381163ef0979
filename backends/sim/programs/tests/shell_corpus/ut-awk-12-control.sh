awk 'BEGIN {while (i < 5) {i++; if (i == 2) continue; if (i == 4) break; print i}; print "end", i}'
awk 'BEGIN {do {print "d" i; i++} while (i < 3); do print "once"; while (0)}'
awk 'BEGIN {for (;;) {if (++i > 3) break}; print i; for (i = 0; i < 2; i++) for (j = 0; j < 2; j++) {if (j) continue; print i, j}}'
awk 'BEGIN {if (1) print 1; else print 2; if (0) print 3
else print 4
if (0)
  print 5
else if (1)
  print 6
else
  print 7}'
awk 'BEGIN { if (1) { print "a" } else { print "b" } ; if (0) ; else print "c"; while (n++ < 3) ; print n }'
printf '1\n2\n3\n4\n' | awk '$1 == 2 {next} {print} $1 == 3 {exit} END {print "end", NR}'
printf '1\n2\n' > a; printf '3\n4\n' > b
awk 'FNR == 2 {nextfile} {print FILENAME, FNR, NR, $0}' a b
awk 'BEGIN {exit 3} END {print "end"}'; echo $?
awk '{exit 4} END {print "end"; exit}' a; echo $?
awk 'BEGIN {exit} END {exit 5}'; echo $?
awk 'BEGIN {print "only"}' /nonexistent; echo $?
awk 'function f(x) {while (1) {for (k in x) return k}} BEGIN {a["q"]; print f(a) f(a)}'
awk 'BEGIN {for (i = 0; i < 3; i++)
  # a comment
  print i   # another
}
# the end'
awk 'BEGIN {print 1} BEGIN {print 2} END {print 3} END {print 4}' < /dev/null
awk 'BEGIN {
  x = 1 ||
    0
  y = 1 &&
    x
  print x, y,
    "z"
}'
