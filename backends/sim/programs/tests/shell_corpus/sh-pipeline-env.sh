x=1
x=2 | echo $x
{ x=3; echo $x; } | cat
echo $x
f() { cat; echo "f $1"; }
echo in | f arg
echo a | if true; then cat; fi | for i in 1; do cat; done | (cat)
