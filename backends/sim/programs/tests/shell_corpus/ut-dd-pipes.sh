(printf abc; sleep 0.05; printf defg) | dd bs=4 status=noxfer of=o; cat o; echo
(printf abc; sleep 0.05; printf defg) | dd bs=4 iflag=fullblock status=noxfer of=o; cat o; echo
(printf abc; sleep 0.05; printf defg) | dd ibs=4 obs=4 status=noxfer of=o; cat o; echo
printf abcdef | dd bs=2 skip=1 count=1 status=none; echo
printf abcdef | dd bs=1 count=3 iflag=count_bytes status=none; echo
printf 123456 > f; dd if=f bs=2 skip=3 iflag=skip_bytes status=none; echo
printf 123456 | dd of=f bs=2 seek=1 oflag=seek_bytes conv=notrunc status=none; cat f; echo
printf abc > f; printf def | dd of=f oflag=append conv=notrunc status=none; cat f; echo
printf abc | dd of=f conv=excl status=none; echo $?
printf abc | dd of=nofile conv=nocreat status=none; echo $?
printf abc | dd of=g conv=fsync status=none; cat g; echo
printf 1234 | dd bs=2x1 status=none; echo
printf 1234 | dd count=0 status=noxfer
dd if=/dev/zero of=/dev/full bs=1k count=1 status=noxfer; echo $?
truncate -s 10 s; dd if=s of=t bs=5 conv=sparse status=none; stat -c %s t
printf abc > k; dd if=k bs=1 skip=10 status=noxfer; echo $?
