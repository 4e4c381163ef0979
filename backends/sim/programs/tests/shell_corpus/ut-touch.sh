touch a b; ls
touch -c nope; echo $?; ls
touch -d '2021-03-04 05:06:07' a; stat -c '%X %Y' a
touch -t 202001020304.05 a; stat -c %Y a
touch -t 2001020304 a; stat -c %Y a
touch -r a b; stat -c %Y b
touch -a -d @100 a; stat -c '%X %Y' a
touch -m -d @200 a; stat -c '%X %Y' a
touch -d '2021-03-04T05:06:07.5Z' a; stat -c '%.2Y' a
touch -d 'garbage in' a; echo $?
touch -t 99 a; echo $?
touch nope/x; echo $?
touch; echo $?
mkdir d; touch -d @5 d; stat -c %Y d
ln -s a l; touch -h -d @7 l; stat -c %Y l a
ln -s missing m; touch m; ls
touch -r nope a; echo $?
touch --time=atime -d @9 a; stat -c '%X %Y' a
touch -d 'Jan 2 2020 10:00 +0200' a; stat -c %Y a
