# A daemon with a pid file: start, status, double start, stop, stale file.
pidfile=run/d.pid; mkdir -p run
running() { [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }
start() {
  if running; then echo "already running"; return 1; fi
  [ -e "$pidfile" ] && { echo "removing stale pid file"; rm -f "$pidfile"; }
  ( trap 'rm -f "$pidfile"; echo "daemon: bye" >>run/log; exit 0' TERM
    trap 'echo "daemon: reload" >>run/log' HUP
    echo "daemon: up" >>run/log
    : >run/ready
    while :; do sleep 0.02; done ) >/dev/null 2>&1 &
  echo $! >"$pidfile.tmp" && mv "$pidfile.tmp" "$pidfile"
  tries=0; until [ -e run/ready ]; do tries=$((tries + 1)); [ $tries -gt 200 ] && return 2; sleep 0.02; done
  rm run/ready; echo started
}
stop() {
  running || { echo "not running"; return 3; }
  pid=$(cat "$pidfile"); kill "$pid"; wait "$pid"; echo "stopped ($?)"
}
status() { if running; then echo active; else echo inactive; fi; }
status; stop; echo "=> $?"
start; echo "=> $?"; status; start; echo "=> $?"
kill -HUP "$(cat $pidfile)"; until grep -q reload run/log; do sleep 0.02; done
stop; echo "=> $?"; status; ls run
echo 999999 >$pidfile; status; start; stop
cat run/log
