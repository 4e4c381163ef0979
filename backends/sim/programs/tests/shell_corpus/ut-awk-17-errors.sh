for p in 'BEGIN {print "a' 'BEGIN {f(1)}' 'BEGIN {next}' 'function f(f) {}' 'function f(a, a) {}' 'BEGIN {return}' \
  'BEGIN {break}' 'BEGIN {print (1, 2}' '/abc' 'BEGIN {a[1]; print a}' 'BEGIN {x["a"] = 1; x = 2}' 'BEGIN {$-1 = "x"}' \
  'BEGIN {NF = -1}' '{print $' 'BEGIN {if}' '}' 'BEGIN {1 = 2}' 'BEGIN {print length(1, 2)}' 'BEGIN {"a" ~ "("; print "("  ~ "("}' \
  'function f(x) {return x} BEGIN {print f(1, 2)}' 'function f(x) {x[1]} BEGIN {y = 1; f(y)}' 'BEGIN {printf "%z", 1}' \
  'BEGIN {getline < }' 'BEGIN {for (;;}' 'BEGIN {print 1 +}' 'BEGIN {else}' 'BEGIN {delete}' 'a b {' 'BEGIN' 'function () {}'
do
  echo x | awk "$p" > /dev/null 2> e
  echo "$? $(test -s e && echo message)"
done
