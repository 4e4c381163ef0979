command echo a; command -p echo b
echo() { printf 'func\n'; }; echo; command echo c
command -v echo; command -v cd if nosuch; echo $?
unset -f echo
command -v nosuch; echo $?
command nosuch; echo $?
command -V cd; command -V if; command -V nosuch; echo $?
command; echo $?
command -x; echo $?
x=1; command export x=2; echo $x
command exit 3
