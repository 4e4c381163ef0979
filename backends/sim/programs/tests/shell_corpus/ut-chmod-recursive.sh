umask 022
mkdir -p a/b; touch a/f a/b/g; ln -s f a/l; ln -s nope a/dang
chmod -R u=rwX,go= a; echo $?
find a -printf '%P %m\n' | sort | grep -v -e l -e dang
chmod -v 755 a; chmod -v 755 a; chmod -c 755 a; chmod -c 700 a
chmod -R -v go+r a | sort
chmod -f 755 nope; echo $?
