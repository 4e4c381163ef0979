echo ${x=d} $x
y=
echo [${y=e}] [$y] [${y:=e}] [$y]
unset z
: ${z:=a b  c}
printf '[%s]' $z "$z"
echo
unset z
: "${z:=a b  c}"
printf '[%s]' $z "$z"
echo
