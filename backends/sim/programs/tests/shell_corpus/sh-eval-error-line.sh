eval '
nosuchcmd'
echo $?
eval "echo 'unterminated"
echo no
