exec 3</nosuchfile
echo no
