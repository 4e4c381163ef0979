set -- a b
(shift 3; echo no); echo $?
(shift x; echo no); echo $?
(shift -1; echo no); echo $?
shift 0; echo $#; shift 2; echo $#
shift
echo no
