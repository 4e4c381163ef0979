# Rotates a log by size, keeps three old ones, as cron scripts do.
log=app.log; max=200; keep=3
rotate() {
  [ -f "$log" ] || return 0
  size=$(wc -c <"$log")
  [ "$size" -gt "$max" ] || return 0
  i=$keep
  while [ "$i" -gt 1 ]; do
    prev=$((i - 1))
    [ -e "$log.$prev" ] && mv -f "$log.$prev" "$log.$i"
    i=$prev
  done
  mv "$log" "$log.1" && : >"$log"
  echo "rotated at $size"
}
n=0
while [ $n -lt 40 ]; do
  n=$((n + 1))
  printf '%s line %03d of the log\n' "2026-01-01" "$n" >>"$log"
  rotate
done
ls -1 app.log* ; wc -l app.log app.log.1 app.log.2 app.log.3
tail -n 1 app.log.1; head -n 1 app.log.3
for f in app.log.*; do echo "${f##*.}: $(sed -n '1p' "$f" | awk '{print $3}')..$(sed -n '$p' "$f" | awk '{print $3}')"; done
find . -name 'app.log.*' -size +0 | sort | xargs -n1 basename | tr '\n' ' '; echo
