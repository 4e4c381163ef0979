x='  a   b	c
d  '
printf '[%s]' $x; echo
printf '[%s]' "$x"; echo
printf '[%s]' x$x y; echo
printf '[%s]' $x$x; echo
e=''
printf '[%s]' $e "$e" a$e $e; echo
