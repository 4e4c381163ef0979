set -- a "b c" '' d
for i in "$@"; do echo "[$i]"; done
echo --
for i in $@; do echo "[$i]"; done
echo --
for i in "$*"; do echo "[$i]"; done
echo --
for i in $*; do echo "[$i]"; done
echo --
for i in x"$@"y; do echo "[$i]"; done
for i; do echo "<$i>"; done
