# Starts a worker again when it fails, with a limit, and stops it at the end.
state=$PWD/state; mkdir "$state"; echo 0 >"$state/starts"
worker() {
  n=$(($(cat "$state/starts") + 1)); echo $n >"$state/starts"
  [ $n -lt 4 ] && exit $((10 + n))
  trap 'echo "worker $n stops" >>"$state/log"; exit 0' TERM
  echo "worker $n runs" >>"$state/log"; : >"$state/up"
  while :; do sleep 0.02; done
}
supervise() {
  restarts=0; child=
  trap 'stopping=1; [ -n "$child" ] && kill "$child"' TERM
  while [ $restarts -lt 5 ]; do
    worker & child=$!
    wait $child; status=$?
    if [ -n "$stopping" ]; then wait $child; echo "child ended with $?" >>"$state/log"; return 0; fi
    restarts=$((restarts + 1)); echo "exit $status, restart $restarts" >>"$state/log"
  done
  echo "gave up" >>"$state/log"; return 1
}
supervise & sup=$!
until [ -e "$state/up" ]; do sleep 0.02; done
kill -TERM $sup; wait $sup; echo "supervisor $?"; cat "$state/log"; cat "$state/starts"
worker() { exit 1; }
supervise & wait $!; echo "supervisor $?"; tail -n 1 "$state/log"
