x=1 :; echo $x
y=2 true; echo [$y]
z=3 export w; echo $z
IFS=: read a b <<E
1:2
E
echo $a $b; echo "[$IFS]" | head -c 2; echo
