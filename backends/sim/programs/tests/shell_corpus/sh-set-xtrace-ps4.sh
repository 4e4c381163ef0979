PS4='> '
set -x
echo a
PS4='$x: '
x=5
echo b
set +x
