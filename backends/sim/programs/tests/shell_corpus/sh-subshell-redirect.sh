# A subshell's redirections are its own: expanded by the shell, done by the child.
( echo out; echo err >&2 ) >f 2>&1; cat f
( exit 3 ) >f; echo $?; ( exit 4 ) </nonexistent; echo $?; ( echo x ) >/nonexistent/y; echo $?
( : ) >${x:=g}; echo "$x"; ls
( read -r a; read -r b; echo "$a-$b" ) <<EOF
one
$((1 + 1))
EOF
set -e; ( false ) >f || echo failed; (( exit 5 ) >f; echo not here) || echo "sub $?"; set +e
(set -e; ( exit 5 ) >f; echo not here); echo "errexit $?"
(set -e; ( : ) </nonexistent; echo not here); echo "errexit $?"
# A job with redirections is one process, so that $! is it.
( trap 'echo got; exit 7' TERM; : >ready; while :; do sleep 0.02; done ) >f 2>&1 &
until [ -e ready ]; do sleep 0.02; done; kill $!; wait $!; echo "$? $(cat f)"; rm ready
{ trap 'echo got; exit 8' TERM; : >ready; while :; do sleep 0.02; done; } >f 2>&1 &
until [ -e ready ]; do sleep 0.02; done; kill $!; wait $!; echo "$? $(cat f)"; rm ready
while :; do : >ready; sleep 0.02; done >f 2>&1 &
until [ -e ready ]; do sleep 0.02; done; kill $!; wait $! 2>/dev/null; echo "$?"
{ sleep 5; } >f & until grep -q sleep /proc/$!/comm; do sleep 0.01; done; kill $!; wait $! 2>/dev/null; echo $?
( echo x ) >/nonexistent/y & wait $!; echo $?; { echo x; } </nonexistent & wait $!; echo $?
# In the last place of a pipeline, and with traps, which ask for a process.
echo a | ( cat; echo b ) >f; cat f
trap 'echo bye' EXIT; ( echo c ) >f; cat f; ( echo d; exit 6 ) 2>f
