set --
for i in "$@"; do echo "[$i]"; done
echo 1
for i in $@ $*; do echo "[$i]"; done
echo 2
for i in "$*"; do echo "[$i]"; done
echo 3
for i in "a$@b" ""$@; do echo "[$i]"; done
echo 4
for i; do echo no; done
echo $#
