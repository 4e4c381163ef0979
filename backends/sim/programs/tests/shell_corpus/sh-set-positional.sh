set a b c; echo $# $1
set -- -a -b; echo $# $1
set --; echo $#
set x; echo $1
set -e -- y z; echo $- $1; set +e
set - p q; echo $1 $#
set -f w; echo $- $1; set +f
set "a b" c; echo $# "$1"
