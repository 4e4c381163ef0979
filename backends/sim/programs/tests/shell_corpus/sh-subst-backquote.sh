x=v
echo `echo $x` "`echo "a  b"`" `echo \$x` '`no`'
echo `echo \`echo nested\`` `echo \\\\a` "`echo \"q\"`"
echo `echo 'a
b'`
