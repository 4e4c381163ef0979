# Needs root.
# Numbers of processes are seven columns wide where there may be millions of them: blanks are squeezed.
exec 2>/dev/null
s() { ps "$@" 2>&1 | tr -s ' ' | sed 's/^ //'; }
ps -o pid= -p $$ | tr -d ' ' | grep -qx $$ && echo me; sh -c 'ps -o ppid= -p $$' | tr -d ' ' | grep -qx $$ && echo parent; ps -o comm= -p $$ | grep -c .
s -o pid,comm,args -p 999999; ps -p $$ -o stat= | cut -c1; s -o foo | head -n 1; s -p x | head -n 1; ps -p $$ -o pid= -o ppid= | wc -w; s -o pid=A,comm=B -p 999999; ps -o user= -p $$
sleep 5 & until grep -q sleep /proc/$!/comm; do sleep 0.01; done; ps -o comm= -p $!; ps -o args= -p $!; s -C nosuchname; ps --ppid $$ -o comm= | grep sleep; ps -o ni=,nlwp= -p $! | tr -s ' '; kill $!; wait $!; ps -o pid= -p $! ; echo $?
ps -e -o comm= | grep -c . | grep -q '[1-9]' && echo several; s -p 999999; s -f -p 999999; s -l -p 999999; s u -p 999999; s -j -p 999999; ps --no-headers -p 999999; echo $?; s -F -p 999999; s x -p 999999 | head -n 1
ps -o pid= -p "$$ 999999" | wc -l; ps h -o pid -p $$ | wc -l; ps -o pid,ppid,pgid,sid,uid,gid,user,group,stat,s,tty,time,etime,etimes,pcpu,pmem,vsz,rss,ni,pri,nlwp,lstart,start,stime,cmd,args,comm,ucmd -p 999999 | tr -s ' '
