f=$(mktemp ./tmp.XXXXXX); echo $?; test -f "$f" && echo file; echo ${#f}; stat -c %a "$f"
d=$(mktemp -d ./dir.XXXX); test -d "$d" && echo dir; stat -c %a "$d"
mktemp x; echo $?
mktemp xX; echo $?
mktemp nope/aXXXX; echo $?
mktemp -d nope/aXXXX; echo $?
mktemp -q nope/aXXXX; echo $?
n=$(mktemp -u ./u.XXXXX); test -e "$n" || echo absent
s=$(mktemp --suffix=.txt ./s.XXXX); case $s in ./s.????.txt) echo good;; *) echo "$s";; esac
m=$(mktemp ./m.XXXX.end); case $m in ./m.????.end) echo good;; *) echo "$m";; esac
mktemp --suffix=/x aXXX; echo $?
mktemp --suffix=.x aXXXb; echo $?
p=$(mktemp -p . p.XXXX); case $p in ./p.????) echo good;; *) echo "$p";; esac
t=$(TMPDIR=. mktemp -t t.XXXX); case $t in ./t.????) echo good;; *) echo "$t";; esac
TMPDIR=. mktemp -t a/XXXX; echo $?
mktemp a b; echo $?
