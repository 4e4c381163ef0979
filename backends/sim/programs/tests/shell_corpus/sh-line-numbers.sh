nosuch1
echo a

nosuch2
if true; then
  nosuch3
fi
f() {
  nosuch4
}
f
x=$(
nosuch5
)
cat <<E
a
b
E
nosuch6
for i in 1
do
nosuch7
done
echo "multi
line"; nosuch8
