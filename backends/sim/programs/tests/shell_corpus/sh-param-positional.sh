set -- a b c d e f g h i j k l
echo $1 $9 $10 ${10} ${11} ${12} ${13} $#
shift
echo $1 $# ${11} [${12}]
shift 3
echo $1 $#
set -- "a b" c
echo "$1" $1 $2
set --
echo $# [$1]
