exec 3>three
echo a >&3; echo b >&3
exec 3>&-
cat three
exec 4<three
read x <&4; read y <&4; echo $x $y
exec 4<&-
{ echo out; echo err >&2; } 2>e >o; cat o e
{ echo swap1; echo swap2 >&2; } 3>&1 1>&2 2>&3 3>&- 2>&1 | cat
echo 5 5>five; cat five; echo six 6>six >&6; cat six
echo x 10>ten; cat ten
