sync; echo $?
touch f; sync f; echo $?
sync -d f; echo $?
sync -f f; echo $?
sync nope; echo $?
sync -d; echo $?
mkfifo p q; stat -c '%F %a' p q
mkfifo p; echo $?
mkfifo -m 600 r; stat -c %a r
mkfifo -m 4000 s; echo $?
mkfifo -m bad s; echo $?
mkfifo; echo $?
mkfifo nope/x; echo $?
echo through > p & cat p; wait
(echo a; echo b) > q & while read x; do echo "got $x"; done < q; wait
