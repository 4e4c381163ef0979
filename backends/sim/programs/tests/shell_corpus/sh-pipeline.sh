echo a | cat; echo b | cat | cat | cat
false | true; echo $?; true | false; echo $?
(exit 3) | (exit 4); echo $?
echo hello | { read x; echo "got $x"; }
x=1; echo 2 | read x; echo $x
printf 'a\nb\nc\n' | while read l; do echo "<$l>"; done
echo x |
cat
{ echo e1; echo e2 >&2; } 2>&1 | cat
: | cat; echo $?
