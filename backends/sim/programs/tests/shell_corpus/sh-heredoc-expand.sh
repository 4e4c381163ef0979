x='a  b'
cat <<E
$x ${x} "$x" '$x' \$x \\ \a \"
$(echo cmd) `echo bq` $((1+2)) ${y-def "q"} ${x#a}
* ~ $nosuch [$]
join\
ed
E
