umask 022
for m in u+x go-r a=r +x -x +w u=rw,g=r,o= g=u o=g a+X u+s g+s +t =r u-x+w ug+rw,o-rwx a-w u=; do
  rm -f f; touch f; chmod 644 f; chmod -- "$m" f; echo "$m $? $(stat -c %a f)"
done
mkdir d; chmod 755 d
for m in a+X g+s u-s g-s +t o-t; do chmod "$m" d; stat -c '%a' d; done
touch x; chmod 666 x; chmod -w x; echo $?; stat -c %a x
umask 0; chmod 666 x; chmod -w x; echo $?; stat -c %a x
