# Here-documents into tools, with and without expansion.
name=service; port=8080; list="a b c"
sed -e "s/@NAME@/$name/g" -e "s/@PORT@/$port/" >conf <<'EOF'
[@NAME@]
listen = 0.0.0.0:@PORT@
path = $HOME/@NAME@
; `not run`
EOF
cat conf
awk -F' *= *' '/=/ { printf "%-8s|%s|\n", $1, $2 } END { print NR " lines" }' conf
xargs -n 2 printf '<%s> <%s>\n' <<EOF
one "two three"
'four five' six\ seven
EOF
while IFS=: read -r user pass uid gid rest; do
  [ "$uid" -ge 1000 ] && echo "$user ($uid/$gid) ${rest#*:}"
done <<-EOF
	root:x:0:0:root:/root:/bin/sh
	joe:x:1000:100:Joe:/home/joe:/bin/sh
	eve:x:1001:$((50 * 2)):Eve:/home/eve:/bin/false
	EOF
sort -t, -k2,2n -k1,1r <<EOF | tee sorted | sed -n '1p;$p'
x,3
y,1
z,1
$(for i in $list; do echo "$i,2"; done)
EOF
cat sorted; grep -c , sorted
cat <<A; cat <<"B"
${name:-none} ${nothing:-"quoted default"} \$x \\ $(echo "sub $(echo nested)")
A
${name} \$x
B
f() { cat <<EOF
arg: $1 of $#
EOF
}
f "x  y" 2
awk -v n="$name" 'BEGIN { while ((getline line < "conf") > 0) if (index(line, n)) c++; print c }'
sed -n '/listen/,$ { s/^\([a-z]*\) = \(.*\)$/\2 <- \1/; p; }' conf
