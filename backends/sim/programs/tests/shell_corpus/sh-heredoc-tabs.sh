cat <<-E
	one
		two
	 three
	E
if true; then
	cat <<-'E'
	a	b
	$x
	E
fi
