HOME=/my/home
echo ~ ~/x "~" '~' \~ a~ ~root/x ~nosuchuser ~/
x=~ y=~/a:~/b z=a:~
echo $x $y $z
echo x=~ a:~ "${x+~}" ${x+~} ${q-~/z}
case /my/home in ~) echo match;; esac
HOME=
echo [~]
unset HOME
echo [~]
