awk 'BEGIN {print "a" > "o"; print "b" > "o"; print "c" >> "o"; close("o"); while ((getline l < "o") > 0) print "r", l}'
awk 'BEGIN {print "d" >> "o"}'; cat o
awk 'BEGIN {for (i = 1; i <= 12; i++) print i > ("f" i); for (i = 1; i <= 12; i++) print -i > ("f" i)}'; cat f1 f7 f12
awk 'BEGIN {print "b\na\nc" | "sort"; print "first"; close("sort"); print "last"}'
awk 'BEGIN {print "x" | "cat; exit 5"; print close("cat; exit 5"), close("nope")}'
awk 'BEGIN {print "err" > "/dev/stderr"; print "out"}' 2> e; cat e
awk 'BEGIN {printf "%s-%d\n", "p", 3 > "p"; printf("%s\n", "q") >> "p"; close("p"); system("cat p")}'
awk 'BEGIN {print "before"; system("echo middle"); print "after"; print system("exit 3"), system("true")}'
awk 'BEGIN {system("kill -9 $$"); print "alive"}'
awk 'BEGIN {print "to cat" | "cat 1>&2"}' 2>&1
awk 'BEGIN {f = "v"; print "a", "b" > f ".txt"}'; cat v.txt
awk 'BEGIN {print 1, 2 > "w"; print(3)(4) > "w"; print (5 > 4) ? "y" : "n"}' > /dev/null; cat w
awk 'BEGIN {printf "no newline"; fflush(); system("echo; echo next"); print fflush("nothing")}' | head -2
awk 'BEGIN {print > "/nonexistent/x"}' 2> /dev/null; echo $?
awk 'BEGIN {while (i++ < 2000) print "line " i}' | tail -1
printf '3\n1\n2\n' | awk '{print | "sort -n"} END {close("sort -n"); print "done"}'
