sleep 10 & p=$!; kill $p; wait $p 2>/dev/null; echo $?
sleep 10 & p=$!; kill -9 $p; wait $p 2>/dev/null; echo $?
sleep 10 & sleep 0.1; kill -INT $!; kill -HUP $!; wait $! 2>/dev/null; echo $?
(trap 'exit 3' TERM; while :; do sleep 0.05; done) & sleep 0.3; kill $!; wait $!; echo $?
