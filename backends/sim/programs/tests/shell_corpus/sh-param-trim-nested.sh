x=foo.bar.baz
echo ${x%.${x##*.}} ${x#${x%%.*}} "${x%"${x#?}"}"
a=hello
while [ -n "$a" ]; do r=${a#?}; printf '%s,' "${a%"$r"}"; a=$r; done
echo
