verbose=0 out=
set -- -v --output=file -o x arg1 arg2
while [ $# -gt 0 ]; do
case $1 in
-v) verbose=$((verbose+1));;
--output=*) out=${1#*=};;
-o) out="$out,$2"; shift;;
-*) echo bad; exit 1;;
*) break;;
esac
shift
done
echo $verbose $out "$@"
