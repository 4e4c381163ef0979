s='hello world'; r=
while [ -n "$s" ]; do c=${s%"${s#?}"}; s=${s#?}; r=$c$r; done
echo "$r"
set -- $r; echo $#
