set -u
x=; echo [$x] ${y-d} ${y:-d} ${y+a}
echo "$@" $* $#
(echo $y); echo $?
(echo ${y}); echo $?
(echo "a$y"); echo $?
(echo ${#y}); echo $?
(echo ${y#a}); echo $?
(echo $1); echo $?
(echo $((y))); echo $?
(: ${y=5}; echo $y)
echo $nosuch
echo no
