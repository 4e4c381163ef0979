awk 'BEGIN {print 1 " " 2, "a" "b" == "ab"; print -12 " " -24; print 1 " " 2 == 1}'
awk 'BEGIN {print 2 * 3 4; print 1 + 1 "" 2; x = "A" "B" "C"; print x x}'
awk 'BEGIN {f = "x"; f = f f f; print f; print length f; print length(f)}' < /dev/null
awk 'BEGIN {a = 1; b = 2; print a b, a+b, a - b, a -b, (a)(b)}'
awk 'BEGIN {print "x" > "/dev/stdout"; print("x", "y") > "/dev/stdout"; print("x")("y")}'
awk 'BEGIN {print "n " 1 + 2; print (1, 2) in a, 1 in a, !(1 in a)}'
awk 'BEGIN {s = ""; for (i = 0; i < 5; i++) s = s i ","; print s}'
awk 'BEGIN {$0 = "3 4"; print $1 $2, $1*$2, $1" "$2; print $1^2 $2}'
awk 'BEGIN {x["a"] = "q"; print x["a"] x["a"], "z" x["a"]}'
