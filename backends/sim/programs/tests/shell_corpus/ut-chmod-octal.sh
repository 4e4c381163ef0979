umask 022
touch f; mkdir d
for m in 0 644 755 600 4755 2755 1777 7777 00755; do chmod $m f d; stat -c '%a %A' f d; done
chmod 888 f; echo $?
chmod 77777 f; echo $?
chmod; echo $?
chmod 644; echo $?
chmod 644 nope; echo $?
chmod xyz f; echo $?
ln -s nope dang; chmod 644 dang; echo $?
ln -s f l; chmod 600 l; stat -c %a f
chmod --reference=d f; stat -c %a f
