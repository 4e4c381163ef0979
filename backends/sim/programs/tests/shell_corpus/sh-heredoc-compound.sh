f() {
cat <<E
in f $1
E
}
f arg
for i in 1 2; do cat <<E
loop $i
E
done
if cat <<E
cond
E
then echo yes; fi
(cat <<E
sub
E
)
cat <<E | cat
piped
E
echo x && cat <<E || echo no
and
E
