mkdir d; cd d
: >a; : >b; : >ab; : >.h; : >c.txt; : >d.txt
echo * ; echo ?; echo a*; echo *.txt; echo [ab]; echo [!ab]; echo .*; echo .h* ; echo [a-c]*; echo *b
echo nosuch* "*" '*' \* "a"* a"*" [x]*
x='*'; echo $x "$x"; y='a*'; echo $y
set -f; echo * $x
