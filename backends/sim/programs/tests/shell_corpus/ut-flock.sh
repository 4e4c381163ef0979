flock l echo locked; echo $?; ls; flock l -c 'echo in shell'; flock -x l true; flock -s l true; echo $?
(flock 9; echo held; flock -n l echo never; echo $?) 9> l
(flock -s 9; flock -n -s l echo shared; flock -n l echo never; echo $?; flock -n -E 5 l true; echo $?) 9> l
(flock 9; flock -w 0.05 l echo never; echo $?; flock -u 9; flock -n l echo now) 9> l
flock nope/x true; echo $?; flock; echo $?; flock l; echo $?; flock l nosuchcommand; echo $?; flock 99; echo $?; flock -w x l true; echo $?; flock -z; echo $?
flock l sh -c 'exit 3'; echo $?; flock l sh -c 'kill -9 $$'; echo $?; mkdir d; flock d echo dir; flock -o l sh -c 'flock -n l echo free'
flock l sh -c 'flock -n l echo never'; echo $?; flock -n l sh -c 'flock -n --verbose l true'; echo $?; flock --verbose l true | sed 's/[0-9.]* sec/N sec/'
for i in 1 2 3; do (flock 9; n=$(cat count 2>/dev/null || echo 0); echo $((n+1)) > count) 9>> l & done; wait; cat count
