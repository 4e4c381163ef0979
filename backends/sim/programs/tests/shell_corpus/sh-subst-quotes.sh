x="$(echo ")" '(' "'")"
echo "$x"
echo $(echo 'a;b' "c|d" \)e)
echo "$(echo "$(printf '%s' "a)b")")"
