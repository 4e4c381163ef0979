nosuchcmd; echo $?
./nosuchfile; echo $?
/; echo $?
''; echo $?
: >plain; ./plain; echo $?
mkdir dir; ./dir; echo $?
PATH=; nosuchcmd; echo $?
PATH=/nosuch cat; echo $?
