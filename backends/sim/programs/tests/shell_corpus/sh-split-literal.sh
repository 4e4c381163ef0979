IFS=:
printf '[%s]' a:b "a:b"; echo
x=:
printf '[%s]' a${x}b a"$x"b; echo
printf '[%s]' $(echo a:b c:d); echo
printf '[%s]' ${u-a:b}; echo
IFS=1
printf '[%s]' $((5*21+6)); echo
