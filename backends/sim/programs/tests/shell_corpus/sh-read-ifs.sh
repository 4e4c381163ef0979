t() { printf '%s\n' "$2" | { IFS=$1 read a b; echo "[$a][$b]"; }; }
t : 1:2; t : 1:2:; t : 1:2:3; t : 1:2:3:; t : 1; t : :; t : ::; t : 1::2
t ' ' ' a b '; t '' ' a b '; t ' :' 'a : b'; t ' :' 'a : b :'; t , 'a, b ,'
IFS=: ; printf 'x:y z:w\n' | { read a b c d; echo "[$a][$b][$c][$d]"; }
