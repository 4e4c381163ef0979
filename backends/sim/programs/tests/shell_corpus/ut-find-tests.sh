# Needs root.
umask 022
mkdir -p t/a/b t/c; printf 12345 > t/f; touch t/a/g.txt t/a/b/H.TXT t/.hid; ln -s f t/l; ln -s nope t/dang; mkfifo t/p; chmod 755 t/f; truncate -s 3000 t/c/big
f() { find "$@" 2>&1 | sort; }
f t; f t -type f; f t -type d; f t -type l; f t -type p; f t -type f,l; f t -xtype f
f t -name '*.txt'; f t -iname '*.txt'; f t -name '.*'; f t -name 't'; f t -path '*/a/*'; f t -ipath 'T/A/*'; f t -lname 'no*'
for n in 0 +1k -2 5c 3k 1 +0c -1M; do f t -type f -size $n; done
f t -empty; f t -perm 755 -type f; f t -perm -u+x -type f; f t -perm /111 -type f; f t -perm -644 -type f
f t -maxdepth 1; f t -mindepth 2; f t -mindepth 1 -maxdepth 1 -type d; f t -maxdepth 0; f t -links 2 -type d
f t -user root -name f; f t -user 0 -name f; f t -uid 0 -gid 0 -name f; f t -nouser
f -L t -type f; f -L t -type l; f -H t/l; f t/l -type l
f t -samefile t/f; f t -false; f t -true -name f; f t -executable -type f; f t -readable -name f; f t -writable -name f
