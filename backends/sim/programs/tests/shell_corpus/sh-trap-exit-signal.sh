trap 'echo int; exit 5' INT
trap 'echo exit $?' EXIT
kill -INT $$
echo no
