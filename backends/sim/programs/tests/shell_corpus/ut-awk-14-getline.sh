printf '1\n2\n3\n4\n5\n' > n
awk 'BEGIN {getline; print "got " $0, NR; getline x; print x, NR, $0; print getline, $0}' < n
awk 'NR == 1 {getline; print; getline y; print y, NR} END {print NR}' n
awk 'BEGIN {while ((getline line < "n") > 0) {c++; s += line}; print c, s, NR; close("n"); getline < "n"; print $0, NR, NF}'
awk 'BEGIN {print (getline x < "/nonexistent"), "[" x "]"}'
awk 'BEGIN {"echo a b; echo c" | getline; print $2; "echo a b; echo c" | getline v; print v}'
awk 'BEGIN {while (("cat n" | getline l) > 0) print "l" l; print close("cat n")}'
awk 'BEGIN {cmd = "echo x; exit 3"; cmd | getline v; print v, close(cmd), close(cmd)}'
awk 'BEGIN {("echo " "hello") | getline x; print x; "echo 5" | getline a[1]; print a[1] + 1; "echo q" | getline $2; print NF, $2}'
awk '{while ((getline l < "n") > 0) last = l; print $0, last}' n | head -2
awk 'BEGIN {f = "n"; getline a < f; getline b < f; print a, b; getline c < "n" ; print c}'
awk 'BEGIN {while ("echo one" | getline > 0) n++; print n, $0}'
awk 'END {print getline, getline x, $0}' n
awk 'BEGIN {if ((getline tmp) > 0) print "read", tmp; else print "nothing"}' < /dev/null
