. ./nosuch
echo no
