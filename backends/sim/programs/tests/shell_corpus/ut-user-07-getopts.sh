# Options as scripts read them.
main() {
  OPTIND=1; verbose=0; out=; defs=
  while getopts :vo:D:h opt; do
    case $opt in
      v) verbose=$((verbose + 1)) ;;
      o) out=$OPTARG ;;
      D) defs="$defs [$OPTARG]" ;;
      h) echo "usage"; return 0 ;;
      :) echo "needs value: -$OPTARG"; return 2 ;;
      \?) echo "unknown: -$OPTARG"; return 2 ;;
    esac
  done
  shift $((OPTIND - 1))
  echo "v=$verbose o=<$out> D=$defs n=$# args=<$*>"
}
main; main -v -v a b; main -vvo file x; main -ofile -DA=1 -D 'B=two words' -- -v; main -v - -v; main -o; echo $?; main -x; echo $?
main -h -x; echo $?; main a -v; main -o '' rest; main -D -v
long() {
  while [ $# -gt 0 ]; do
    case $1 in
      --name=*) echo "name ${1#*=}" ;;
      --name) [ $# -ge 2 ] || { echo "missing"; return 1; }; echo "name $2"; shift ;;
      --no-*) echo "off ${1#--no-}" ;;
      --) shift; break ;;
      -?*) echo "bad $1"; return 1 ;;
      *) break ;;
    esac
    shift
  done
  for rest do printf '(%s)' "$rest"; done; echo
}
long --name=x=y --no-color --name 'a b' -- --name; long --name; echo $?; long -q; echo $?; long 'x y' '' z
set -- -a -b; while getopts ab o; do echo "$o $OPTIND"; done; echo "end $OPTIND $o"
while getopts a o -a -q 2>err; do echo "[$o]"; done; cat err
