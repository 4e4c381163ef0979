echo 'x=1; echo dot $#; return 5; echo no' >lib
. ./lib; echo $? $x
set -- a b
. ./lib c d; echo $?
echo 'f() { echo from lib; }' >lib2; . ./lib2; f
: >lib3; . ./lib3; echo $?
echo false >lib4; . ./lib4; echo $?
echo '(exit 4); return' >lib5; . ./lib5; echo $?
