cd /tmp; PWD=/nonsense sh -c 'pwd'; PWD=/tmp sh -c 'pwd'
sh -c 'echo $PPID' | grep -c '^[0-9]*$'
echo $OPTIND; sh -c 'echo "[$PS1$PS2$PS4]"' | wc -l
