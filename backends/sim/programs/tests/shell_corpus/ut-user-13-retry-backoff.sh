# Retries with backoff; functions that return output and status; local variables.
attempts=0
flaky() { attempts=$((attempts + 1)); [ "$attempts" -ge "$1" ]; }
retry() {
  local max=$1 delay=0.01 n=1; shift
  while ! "$@"; do
    [ "$n" -ge "$max" ] && { echo "gave up after $n"; return 1; }
    sleep "$delay"; delay=$(awk -v d="$delay" 'BEGIN { print d * 2 }'); n=$((n + 1))
  done
  echo "worked at $n (delay $delay)"
}
retry 5 flaky 3; echo $?; attempts=0; retry 2 flaky 9; echo $?
retry 1 test -e /nonexistent; retry 3 sh -c 'echo x >>tries; [ $(wc -l <tries) -eq 2 ]'
out=$(retry 1 false); echo "$? <$out>"; if out=$(echo text; exit 3); then echo no; else echo "$? <$out>"; fi
poll() { timeout "$1" sh -c "until $2; do sleep 0.01; done"; }
poll 5 '[ -e tries ]'; echo $?; poll 0.1 '[ -e never ]'; echo $?
( sleep 0.05; : >later ) & poll 5 '[ -e later ]' && echo appeared; wait
try() { ( set -e; "$@"; echo "fine" ); echo "try: $?"; }
step() { false; echo "after false"; }
try step; try true
deadline() { start=$(date +%s); while [ $(($(date +%s) - start)) -lt "$1" ]; do "$2" && return 0; done; return 1; }
deadline 5 true && echo in time
