# Two processes that talk through two FIFOs, and one that multiplexes.
mkfifo to from; ( while read -r op a b; do case $op in '+') echo $((a + b));; '*') echo $((a * b));; q) echo bye; break;; esac; done <to >from ) & calc=$!
exec 5>to 6<from
rpc() { echo "$@" >&5; read -r answer <&6; echo "$* = $answer"; }
rpc + 2 3; rpc '*' 6 7; rpc q; wait $calc; echo $?; exec 5>&- 6<&-
mkfifo log; ( n=0; while IFS= read -r line; do n=$((n + 1)); printf '%02d %s\n' $n "$line"; done <log >out ) & logger=$!
exec 7>log; echo first >&7; ( echo second >&7 ); sh -c 'echo third' >&7; cat >&7 <<EOF
fourth
  fifth
EOF
exec 7>&-; wait $logger; cat out
{ echo to-out; echo to-err >&2; } 2>&1 >only-out | sed 's/^/piped: /'; cat only-out
{ { echo o; echo e >&2; } 2>&1 >&3 | sed 's/^/E:/'; } 3>&1 | sort
exec 3>&1; status=$( { { echo data; exit 4; }; echo $? >&4; } 4>&1 >&3 ); echo "inner $? <$status>"; status=$( { ( echo data; exit 4 ); echo $? >&4; } 4>&1 >&3 | cat ); echo "<$status>"; exec 3>&-
mkfifo a b; tee b <a | tr a-z A-Z >upper & cat b >lower & echo mixed >a; wait; cat upper lower
