read; echo $?
read 1x; echo $?
read -x a; echo $?
read x <&-; echo $?
read x </dev/null; echo $? [$x]
x=old; read x </dev/null; echo "[$x]"
