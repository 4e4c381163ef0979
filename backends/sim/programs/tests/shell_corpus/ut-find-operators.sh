mkdir -p a/b a/c; touch a/1 a/2 a/b/1 a/c/3
f() { find "$@" 2>&1 | sort; }
f a -name 1 -o -name 3; f a \( -name 1 -o -name 3 \) -print; f a -name 1 -o -name 3 -print; f a ! -name '*1' -type f; f a -not -name '*1' -type f
f a -type f -a -name 1; f a -type f -and ! \( -name 1 -o -name 2 \); f a -name 1 , -name 2; f a -name 1 -print , -name 2 -print
f a -name b -prune -o -type f -print; f a -path a/c -prune -o -print; f a -name nothing -o -true -name 3; f a ! ! -name 1
f a -depth -name 'b' -prune -o -print; find a -depth -name b -o -depth -name 1 -path '*b*'; find a -name 1 -quit; echo $?
f a \( \) ; f a \( -name 1; f a -name 1 \); f a -o -name 1; f a -name 1 -o; f a !; f a -name; f a -foo; f a -type q; f a -size 1q; f a -maxdepth x; f a -perm q; f a -links x; f a -user nosuchuser; f a -type ''; f a -type fd
f nope; echo $?; find nope a -maxdepth 0; echo $?; cd a; find | sort; find -name 1 | sort; find . -name . ; find -- b
