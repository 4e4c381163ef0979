# Processes are found by numbers that this script itself does not spell, and counted among its children.
exec 2>/dev/null
n=7.$$
# A job is known by its name when it has become what it runs; one that is pkilled by SIGINT must not ignore that.
start() { sleep $n & until grep -q sleep /proc/$!/comm; do sleep 0.01; done; }
start; start
pgrep -f "sleep $n" | wc -l; pgrep -fc "sleep $n"; pgrep -f -n "sleep $n" | wc -l; pgrep -f -o "sleep $n" | wc -l; pgrep -fx "sleep $n" | wc -l
pgrep -fl "sleep $n" | cut -d' ' -f2; pgrep -fa "sleep $n" | cut -d' ' -f2 ; pgrep -f -d, "sleep $n" | tr -cd ,; echo; pgrep -P $$ sleep | wc -l; pgrep -xP $$ slee; echo $?
pgrep -if "SLEEP $n" | wc -l; pgrep -c nosuchprocess; echo $?
pgrep nosuchprocess; echo $?; pgrep 2>&1; echo $?; pgrep a b 2>&1; echo $?; pgrep averyverylongprocessname 2>&1; echo $?
pkill -f "sleep $n"; echo $?; wait; pkill -f "sleep $n"; echo $?; start; pkill -INT -f "sleep $n"; echo $?; pkill -HUP -f "sleep $n"; wait $!; echo $?
start; pkill -e -f "sleep $n" | sed 's/pid [0-9]*/pid N/'; wait; start; pkill --signal USR1 -f "sleep $n"; wait $!; echo $?; start; pkill -9 -f "sleep $n"; wait $!; echo $?
pidof nosuchprocess; echo $?; start; pidof sleep | grep -q $! && echo found; pidof -s sleep | wc -w; kill $!; wait; pidof; echo $?; killall nosuchprocess 2>&1; echo $?; killall -q nosuchprocess; echo $?
