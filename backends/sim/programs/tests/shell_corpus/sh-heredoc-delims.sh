cat <<'a b'
x
a b
cat <<E"O"F
$x
EOF
cat <<''
until empty

cat << E
space
E
cat <<-	E
	tab
	E
cat <<!
bang
!
