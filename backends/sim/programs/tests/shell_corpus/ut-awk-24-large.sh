awk 'BEGIN {for (i = 0; i < 20000; i++) a[i % 1000] += i; print length(a), a[7], a[999]}'
awk 'BEGIN {for (i = 0; i < 3000; i++) s = s "x"; print length(s); gsub(/x/, "yy", s); print length(s)}'
awk 'BEGIN {$2000 = "z"; print NF, length($0); n = split($0, p, " "); print n}'
awk 'BEGIN {for (i = 2; i <= 200; i++) {p = 1; for (j = 2; j * j <= i; j++) if (i % j == 0) {p = 0; break}; if (p) c++}; print c}'
awk 'function h(n, a, b, c) {if (n == 0) return 0; return h(n - 1, a, c, b) + 1 + h(n - 1, c, b, a)} BEGIN {print h(8, "a", "b", "c")}'
seq 2000 | awk '{a[NR] = $0} END {for (i = NR; i > NR - 3; i--) print a[i]}'
awk 'BEGIN {x = 27; while (x != 1) {x = x % 2 ? 3 * x + 1 : x / 2; n++}; print n}'
seq 500 | awk '{print > ("out" $1 % 7)} END {for (i = 0; i < 7; i++) close("out" i)}'; cat out3 | wc -l
