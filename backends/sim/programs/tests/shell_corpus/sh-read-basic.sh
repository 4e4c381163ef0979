printf 'a b c\nd\n\n  e  f  \nlast' >in
exec 3<in
read x <&3; echo "[$x] $?"
read x y <&3; echo "[$x][$y] $?"
read x <&3; echo "[$x] $?"
read x y z <&3; echo "[$x][$y][$z] $?"
read x <&3; echo "[$x] $?"
read x <&3; echo "[$x] $?"
