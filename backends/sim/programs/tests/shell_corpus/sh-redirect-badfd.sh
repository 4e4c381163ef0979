echo a >&x
echo no
