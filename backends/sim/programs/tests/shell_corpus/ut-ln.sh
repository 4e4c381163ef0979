echo x > f
ln f h; stat -c %h f; cat h
ln -s f s; readlink s
ln f h; echo $?
ln -s f s; echo $?
ln -f f h; echo $?
ln -sf other s; readlink s
ln nope n; echo $?
ln -s nope n; readlink n
mkdir d; ln f d; ls d
ln d e; echo $?
ln -v f v; ln -sv f w
ln; echo $?
ln f h s nope; echo $?
ln -s ../f d/up; cat d/up
ln -s d dl; ln -s x dl; readlink d/x; ln -sfn y dl; readlink dl
ln -t d f 2>/dev/null; ls d
ln -T f d; echo $?
ln -sT f g; readlink g
ln f f; echo $?
ln -f f f; echo $?
ln -i f h < /dev/null; echo; echo $?
(cd d; ln -s ../f; readlink f; ln -s /etc/passwd; readlink passwd)
