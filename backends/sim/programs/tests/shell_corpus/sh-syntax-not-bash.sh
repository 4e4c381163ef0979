[[ a == a ]]; echo $?
echo {a,b} {1..3}
function f { echo f; }; echo $?
x=abc; echo $'a\tb' $"q"
echo a &>/dev/null; wait; echo after
echo $[1+2] a{b
