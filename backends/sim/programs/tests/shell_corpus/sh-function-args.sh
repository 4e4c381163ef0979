f() { echo $1 $# "$@"; shift; echo $1 $#; set -- x y z; echo $#; }
set -- A B
f a b c
echo $1 $#
g() { for i; do echo "<$i>"; done; }
g 'a b' '' c
h() { echo $0 | cat >/dev/null; echo ${0##*/}; }
h
