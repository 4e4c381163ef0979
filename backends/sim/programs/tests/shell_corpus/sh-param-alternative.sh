echo [${x+a}] [${x:+a}]
x=
echo [${x+a}] [${x:+a}]
x=v
echo [${x+a}] [${x:+a}] [${x:+$x$x}] ["${x+"q r"}"]
printf '[%s]' ${x+a b} "${x+a b}" ${x+"a b"}
echo
