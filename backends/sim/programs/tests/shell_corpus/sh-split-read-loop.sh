data='one two
three four
five'
echo "$data" | while read a b; do echo "$b-$a"; done
IFS='
'
for line in $data; do echo "<$line>"; done
