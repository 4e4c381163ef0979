echo 'echo a
fi' >bad
. ./bad
echo no
