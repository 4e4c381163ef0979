# Text functions in pure shell.
trim() { s=$1; s=${s#"${s%%[![:space:]]*}"}; s=${s%"${s##*[![:space:]]}"}; printf '[%s]\n' "$s"; }
trim '  a b  '; trim ''; trim '   '; trim "$(printf '\t x\n')"
repeat() { r=; i=0; while [ $i -lt "$2" ]; do r=$r$1; i=$((i + 1)); done; echo "$r"; }
repeat ab 3; repeat - 0
contains() { case $2 in *"$1"*) return 0 ;; esac; return 1; }
contains 'b*' 'a b* c' && echo yes; contains 'b*' 'a bb c' || echo no; contains '' x && echo empty
join() { sep=$1; shift; out=$1; [ $# -gt 0 ] && shift; for w; do out=$out$sep$w; done; echo "$out"; }
join , a b c; join ', ' 'x y' z; join -; join : '' ''
split() { old=$IFS; IFS=$1; set -f; set -- $2; set +f; IFS=$old; echo "$#:"; for w; do printf '<%s>' "$w"; done; echo; }
split , 'a,b,,c,'; split : '*:?'; split ' ' ' a  b '; split ,: 'a,b:c'
reverse() { s=$1 r=; while [ -n "$s" ]; do r=${s%"${s#?}"}$r; s=${s#?}; done; echo "$r"; }
reverse 'hello *'; reverse ''
base=/usr/local/lib/libx.so.1.2; echo "${base##*/} ${base%/*} ${base%%.*} ${base##*.} ${#base}"
version() { IFS=. read -r major minor patch <<EOF
$1
EOF
  printf '%03d%03d%03d\n' "$major" "${minor:-0}" "${patch:-0}"; }
[ "$(version 1.10.2)" -gt "$(version 1.9)" ] && version 1.10.2
hex() { printf '%x %o %d %s\n' "$1" "$1" "0x$(printf %x "$1")" "$(printf '\\%03o' "$1")"; }; hex 65; hex 255
printf '%5s|%-5s|%05d|%.2s|%c|%%|%b\n' ab cd 42 xyz hello 'a\tb\0101'; printf '%s-%s\n' a b c; printf '%d\n' "'A" 010 0x1f -5
quote() { printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }; q=$(quote "it's"; quote '$x `y`'); echo "$q"; eval "printf '(%s)' $q"; echo
echo "$((16#10 + 0))" 2>/dev/null || echo "no bases"; echo $(( 07 + 0x10 )) $((1 << 4 | 3)) $((-7 / 2)) $((-7 % 3)) $((5 > 3 ? 10 : 20))
