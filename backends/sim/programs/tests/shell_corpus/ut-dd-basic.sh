printf 'abcdefghij' > f
dd if=f of=g bs=3 status=none; cat g; echo
dd if=f bs=3 count=2 status=none; echo
dd if=f bs=3 skip=1 status=none; echo
dd if=f of=h bs=2 seek=3 status=none; od -c h
printf XY | dd of=f bs=1 seek=4 conv=notrunc status=none; cat f; echo
printf XY | dd of=f bs=1 seek=4 status=none; cat f; echo
dd if=f bs=4 status=noxfer of=/dev/null
dd if=f ibs=2 obs=3 status=noxfer of=/dev/null
dd if=f bs=5 conv=sync status=none | od -c
dd if=f conv=ucase status=none; echo
dd if=f conv=swab status=none; echo
dd if=/dev/zero bs=1k count=2 status=none | wc -c
dd if=nope; echo $?
dd of=nope/x < /dev/null; echo $?
dd bs=x; echo $?
dd foo; echo $?
dd conv=bad; echo $?
dd bs=0; echo $?
dd status=bad; echo $?
dd iflag=bad; echo $?
dd oflag=bad; echo $?
dd -x; echo $?
