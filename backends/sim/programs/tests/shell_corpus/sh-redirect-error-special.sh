: >/nosuchdir/x
echo no
