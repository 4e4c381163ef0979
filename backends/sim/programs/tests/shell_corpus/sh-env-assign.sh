a=1
a=2 env | grep '^a='
echo $a
a=3 true; echo $a
a=4 :; echo $a
b=5 eval 'echo $b'; echo $b
c=6 d=$c; echo $c $d
e=1 e=2 env | grep '^e='
x=$a$b y="$x z"; echo "$y"
x=a=b; echo $x
PATH=/bin:/usr/bin env | grep ^PATH
