yes | head -n 1; cat /dev/zero | head -c 5 | od -c; (yes; echo $? >&2) 2>err | head -n 1; wc -c < err | tr -d ' '
(trap '' PIPE; yes 2>err2; echo "code $?" > code) | head -n 1; cat err2 code; (trap '' PIPE; cat big 2>/dev/null; ls /) > /dev/null; echo $?
dd if=/dev/zero bs=64k count=100 2>/dev/null | head -c 10 | wc -c; find / -maxdepth 1 2>/dev/null | head -n 1; seq 1 100000 2>/dev/null | tail -n 1
echo x > /dev/full; echo $?; (cat f; true) > /dev/full 2>&1; ls > /dev/full; echo $?; date > /dev/full; echo $?; basename a > /dev/full; echo $?; stat -c %n . > /dev/full; echo $?; find . > /dev/full; echo $?; env > /dev/full; echo $?; id > /dev/full; echo $?; cat /dev/zero > /dev/full; echo $?
