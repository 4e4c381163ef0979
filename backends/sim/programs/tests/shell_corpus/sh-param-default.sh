echo ${x-d} ${x:-d} "${x-a b}" "${x:-'q'}"
x=
echo [${x-d}] [${x:-d}] ["${x-d}"]
x=v
echo ${x-d} ${x:-d}
unset x
echo ${x-$y} ${x-${y-z}} ${x-$(echo sub)} ${x-$((1+2))} ${x-`echo bq`}
printf '[%s]' ${x-a b c} ${x-"a b" c} "${x-a b}" ${x-'a b'} ${x-}
echo
