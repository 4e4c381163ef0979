awk 'BEGIN {while (1) n++}' & p=$!; kill $p; wait $p; echo $?
awk 'BEGIN {for (;;) ;}' & p=$!; kill -9 $p; wait $p; echo $?
awk 'function f(n) {return f(n + 1)} BEGIN {f(0)}' 2> /dev/null; echo $?
yes | awk '{n++}' & p=$!; sleep 0.1; kill $p; wait $p; echo $?
awk 'BEGIN {print "x"; while (1) print "y"}' | head -1
