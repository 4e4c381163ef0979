awk 'BEGIN{a="x";b=a"y"a;print b;print(b)}'
awk 'BEGIN { print 1 ; print 2
print 3 ; }'
awk '
BEGIN { x["a"]=1 }

END { for (k in x)
        print k, x[k]
      if (x["a"] == 1)
      {
        print "brace below"
      }
      else
        print "no"
}
' < /dev/null
echo '4 2' | awk '{print $1/$2, $1 / $2 / 2; x = 8; print x /2/ 2; x /= 2; print x}'
echo 'a=b' | awk '/=/ {print "eq"} $0 ~ /=b/ {print "eqb"}'
awk 'BEGIN {print (1 > 2) ? "a" : "b"; print (1 < 2), 3}'
awk 'BEGIN {i = 5; print i++ i, i-- - 1, i; print - -3, !-1, - !1, 2 - -2}'
awk 'BEGIN {x = 3; x ^= 2; print x; print 2 ^ 3 ^ 0, (2 ^ 3) ^ 2; print 1 - 1 - 1, 2 / 2 / 2}'
awk 'BEGIN {print !x + 1, !x "a"; print 1 == 1 == 1, 1 in a == 0}'
awk 'BEGIN {a["x"] = 1; print "x" in a ? "in" : "out"; print ("y" in a) "", "x" in a && 1}'
awk 'BEGIN {if (!("q" in a)) print "not"; if (! "q" in a) print "odd"; else print "even"}'
awk 'BEGIN {$0 = "a b c"; print $NF $1, $(1 + 1), $NF-1, -$1; $2 = ""; print; print NF}'
awk 'BEGIN {print length
}' < /dev/null
awk 'BEGIN { ; print "semicolon"; ; }' 2> /dev/null || true
awk 'BEGIN {print "a" "b" > "/dev/stdout"; print "c" , "d" | "cat"}'
awk 'BEGIN {getline x < "/dev/null"; y = "A" ; y = y (x == "" ? "empty" : x); print y}'
awk 'BEGIN {print index("a|b", "|") ; print "a" | "cat" ; close("cat"); print substr("xyz", 2) "q"}'
awk 'BEGIN {n = 3; while (n --> 0) printf "%d ", n; print ""; print 1,2,3 ; print(1)(2)}'
awk "BEGIN {print \"it's\"}"
