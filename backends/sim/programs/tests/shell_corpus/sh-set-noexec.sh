echo a
set -n
echo b
exit 3
