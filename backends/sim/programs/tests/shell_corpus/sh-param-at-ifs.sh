set -- a b c
IFS=-
echo "$*" "$@" $* $@
x=$* y="$*"
echo "$x" "$y"
IFS=
echo "$*" "$@"
unset IFS
echo "$*"
IFS=', '
echo "$*"
