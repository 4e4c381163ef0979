(echo ${x?}) ; echo $?
(echo ${x?custom message}); echo $?
(echo ${x:?}); echo $?
x=
(echo ${x?}); echo $?
(echo ${x:?it is null}); echo $?
x=1
echo ${x?no} ${x:?no}
y=text
(: ${z?$y and more}); echo $?
