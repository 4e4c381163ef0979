for w in abc a.c a*c '[x]' 5 Z é; do
case "$w" in
[0-9]) echo digit;;
[[:upper:]]) echo upper;;
a[.]c) echo dot;;
a"*"c) echo literal star;;
a?c) echo q;;
'[x]') echo bracket;;
*) echo none;;
esac
done
