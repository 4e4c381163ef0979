printf '1\n2\n3\n' | { read a; cat; }
printf '1\n2\n3\n' | { read a; read b; echo $b $a; cat; }
printf '1\n2\n3\n' >f; { read a; cat; } <f
(read a; read b; echo $a$b; cat) <f
while read a; do read b; echo "$a-$b"; done <f
