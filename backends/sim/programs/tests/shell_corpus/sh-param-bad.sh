(echo ${x!y}); echo $?
(echo ${}); echo $?
(echo ${x^^}) 2>/dev/null; echo $?
echo ${x:1}
echo not reached
