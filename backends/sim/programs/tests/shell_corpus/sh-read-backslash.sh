printf '%s\n' 'a\b c' 'a\ b c' 'cont\' 'inued' 'back\\slash' >in
exec <in
read x y; echo "[$x][$y]"
read x y; echo "[$x][$y]"
read x; echo "[$x]"
read -r x; echo "[$x]"
printf '%s\n' 'a\' 'b' | { read -r x; echo "[$x]"; read x; echo "[$x]"; }
