# Orphans, process groups of pipelines, exit codes through layers, and descriptors that are closed.
sh -c 'sh -c "sleep 0.05; echo orphan >orphan.out" & echo parent done'; until [ -s orphan.out ]; do sleep 0.01; done; cat orphan.out
sh -c 'sh -c "sh -c \"exit 77\""'; echo $?; (((exit 5))) ; echo $?; ! (exit 5); echo $?; (exit 300); echo $?; sh -c 'exit -1' 2>/dev/null; echo $?
false | true | (exit 9) | cat; echo $?; { exit 3; } | :; echo $?; x=$(exit 4); echo $?; x=$(exit 4) true; echo $?; echo $(exit 4); echo $?
exec 8>fd8; sh -c 'echo inherited >&8'; exec 8>&-; sh -c 'echo closed >&8' 2>/dev/null || echo "refused $?"; cat fd8
( exec >&-; echo x ) 2>/dev/null; echo $?; cat <&- 2>/dev/null; echo $?; ls /proc/self/fd >/dev/null; echo $?
yes | head -n 1; ( trap '' PIPE; yes 2>/dev/null; echo $? >&2 ) 2>pipe.status | head -n 1; cat pipe.status
set -- $(seq 200); echo $# ${200} "$(echo "$@" | wc -c)"; shift 199; echo $1
long=$(seq 2000 | tr '\n' ' '); echo ${#long}; env X="$long" sh -c 'echo ${#X}'; sh -c 'echo $#' sh $long
mkdir -p deep; cd deep; i=0; while [ $i -lt 20 ]; do mkdir d; cd d; i=$((i + 1)); done; pwd | tr -dc / | wc -c | xargs test 20 -lt && echo deep; cd "$OLDPWD" && cd ../.. ; ls
ulimit -n 20; i=3; ( while [ $i -lt 9 ]; do eval "exec $i>f$i"; i=$((i + 1)); done; ls f? | wc -l )
