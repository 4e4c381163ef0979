x='a b'
printf '[%s]' a"b"c'd'e"$x"f'$x' $x"$x"$x
echo
printf '[%s]' "a"'b'\c"" ''
echo
