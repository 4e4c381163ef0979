x=5
echo "a b" "$x" "\$x" "\"" "\\" "\`" "\a" "'q'"
echo "a	b  c" "$x$x" "${x}y" "x=$x"
printf '[%s]' "" "a""b" "$nosuch"
echo
