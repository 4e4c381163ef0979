echo 'a b' > in
awk -- 'BEGIN {print ARGC, ARGV[0], ARGV[1], ARGV[2]}' foo bar=1
awk -v x=5 -v y=6 'BEGIN {print x + y}'
awk -vx=5 'BEGIN {print x}'
awk '{print x, $1}' x=1 in x=2 in
awk 'END {print x, NR}' in x=7
awk 'END {print x, NR}' x=5 < /dev/null
awk '{print FILENAME}' in - < in
echo '{print $2}' > prog; awk -f prog in
echo 'function f(x) {return x x}' > lib; echo '{print f($1)}' > prog2; awk -f lib -f prog2 in
awk 'BEGIN {ARGV[1] = ""; ARGC = 3} {print}' /nonexistent in
awk 'BEGIN {ARGV[1] = "in"; ARGC = 2} {print "seen", $0}'
awk 'BEGIN {delete ARGV[1]} {print}' /nonexistent in
FOO=bar awk 'BEGIN {print ENVIRON["FOO"], ENVIRON["NOPE"] "."}'
awk '{print}' /nonexistent 2> /dev/null; echo $?
awk 'BEGIN {print 1' 2> /dev/null; echo $?
awk -f /nonexistent 2> /dev/null; echo $?
awk -v 1x=3 'BEGIN {}' 2> /dev/null; echo $?
awk 'BEGIN {print "x" > "dir/file"}' 2> /dev/null; echo $?
awk -F : -f prog /dev/null; awk 'NR == FNR {a[$1]; next} $2 in a' in in; echo $?
awk '' in; echo $?
awk 'BEGIN {printf "a" > "/dev/stdout"; print ""}'
