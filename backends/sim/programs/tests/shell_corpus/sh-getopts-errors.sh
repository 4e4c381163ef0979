getopts a; echo $?
getopts a 1x; echo $?
getopts; echo $?
set -- -a -b; getopts ab x; echo $x $OPTIND; getopts ab x; echo $x $OPTIND; getopts ab x; echo $? $OPTIND
