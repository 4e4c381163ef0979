o() { OPTIND=1; while getopts ab:c opt "$@"; do echo "$opt [$OPTARG]"; done; echo "$OPTIND $?"; }
o -a -c; o -ac; o -b x -a; o -bx; o -abx y; o -a -- -c; o -a x -c; o; o x; o -; o -b
o -z; o -az
p() { OPTIND=1; while getopts :ab: opt "$@"; do echo "$opt [$OPTARG]"; done; shift $((OPTIND-1)); echo "rest $*"; }
p -a -z -b; p -bq r s; p -a -b v w
