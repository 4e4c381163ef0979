truncate -s 1M s; printf abc | dd of=s bs=1 seek=500000 conv=notrunc status=none
cp s t; cmp s t && echo same; stat -c %s t
cp --sparse=always s u; cmp s u && echo same
cp --sparse=never s v; cmp s v && echo same
cp --sparse=bad s v; echo $?
