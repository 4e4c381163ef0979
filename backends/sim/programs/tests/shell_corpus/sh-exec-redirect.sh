exec >out
echo to file
exec >&2
exec 2>&1
cat out >&2
