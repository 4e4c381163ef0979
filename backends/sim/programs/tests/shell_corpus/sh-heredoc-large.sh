i=0; x=
while [ $i -lt 400 ]; do x="$x line $i of the text"; i=$((i+1)); done
cat <<E | { read a b c; echo $a $b $c; }
$x
E
n=$(cat <<E
$x$x$x$x$x$x$x$x$x$x$x
E
)
echo ${#n}
