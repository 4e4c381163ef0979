# Each function has its own place in its own parameters; OPTIND shows it, and moves it when it is assigned to.
f() { while getopts ab o; do echo "f $o $OPTIND"; done; echo "f end $OPTIND"; }
set -- -a -b -c
getopts ab o; echo "$o $OPTIND"; f -a -b; getopts ab o; echo "$o $OPTIND"
f -ab; echo $OPTIND
shift; getopts bc o; echo "$o $OPTIND"
OPTIND=7; getopts abc o; echo "$? $o $OPTIND"
getopts abc o -a -b; echo "$? $o $OPTIND"; getopts abc o -c; echo "$? $o $OPTIND";  getopts abc o -c; echo "$? $o $OPTIND"
getopts abc o -c; echo "$? $o $OPTIND"
set -- -ab x; OPTIND=1; getopts ab o; echo "$o $OPTIND"; (getopts ab o; echo "$o $OPTIND"); getopts ab o;  echo "$o $OPTIND"; getopts ab o; echo "$? $o $OPTIND"
g() { local OPTIND; OPTIND=1; while getopts x o; do echo "g $o"; done; echo "g $OPTIND"; }; g -x; echo $OPTIND
g() { local OPTIND=1; while getopts x o; do echo "g $o"; f -b; done; echo "g $OPTIND"; }; g -x -x; echo $OPTIND
unset OPTIND; getopts a o -a; echo "$? $o $OPTIND"
OPTIND=x; getopts a o -a; echo "$? $o $OPTIND"
