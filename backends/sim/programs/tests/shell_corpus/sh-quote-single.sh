echo 'a b' 'c"d' 'e\f' '$x' '`ls`' ''
echo 'it'"'"'s'
printf '[%s]' 'a
b' '' x''y
echo
