printf 'a\n\n\n\tb\001\200\n' > f; printf 'no newline' > g
cat f g; echo
cat -n f g; echo
cat -b f; cat -s f; cat -E f; cat -T f; cat -v f; cat -A f; cat -e f; cat -t f; cat -ns f
echo in | cat - g -; echo
cat nope f g; echo $?
mkdir d; cat d; echo $?
cat < f | cat -u | wc -l
cat f > f2; cat f2 >> f2; echo $?
cat f2 > f2; echo $?
cat --bad; echo $?
cat /dev/null; echo $?
