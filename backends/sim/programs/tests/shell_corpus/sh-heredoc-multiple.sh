cat <<A; cat <<B
a
A
b
B
cat <<A - <<B
first
A
second
B
{ cat; cat <&3; } <<X 3<<Y
x
X
y
Y
while read l; do echo "<$l>"; done <<E
1
2
E
