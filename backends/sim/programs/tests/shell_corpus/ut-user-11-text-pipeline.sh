# Report from an access log with the usual tools.
i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo "10.0.0.$((i % 4)) - [$((i % 24)):00] \"GET /p$((i % 5)) HTTP/1.1\" $((i % 7 ? 200 : 404)) $((i * 37 % 500))"; done >access.log
cut -d' ' -f1 access.log | sort | uniq -c | sort -k1,1nr -k2,2 | head -n 3
awk '{ bytes[$1] += $NF; n[$1]++ } END { for (h in bytes) printf "%s %d %.1f\n", h, bytes[h], bytes[h] / n[h] }' access.log | sort
grep -c ' 404 ' access.log; grep -v ' 200 ' access.log | sed -n 's/.*"GET \([^ ]*\) .*/\1/p' | sort -u | tr '\n' ','; echo
sed 's/\[\([0-9]*\):00\]/<\1>/; /404/d' access.log | tail -n 2
tr ' ' '\n' <access.log | grep -o '/p[0-9]' | sort | uniq -c | awk '$1 > 5 { print $2 "=" $1 }'
paste -d: - - <<EOF
a
b
c
EOF
printf '%s\n' 1 2 10 | sort -r; printf '%s\n' b:2 a:10 c:1 | sort -t: -k2n | join -t: - /dev/null 2>/dev/null; printf 'b 2\na 1\n' | sort >l; printf 'a x\nb y\n' >r
comm -12 l r; diff l r; echo "diff $?"; diff -u l r | sed 1,2d; cmp l r; echo "cmp $?"
seq 1 12 | xargs -n 5 | nl -ba -w2 -s') '; seq 3 | tac | rev | fold -w1 | od -An -c
printf 'tab\there\n' | expand -t4 | cat -A; head -c 5 access.log | xxd; md5sum <l | cut -c1-8; sha256sum l | cut -c1-8; base64 <l | base64 -d | cmp - l && echo same
yes ab | head -n 1000 | tr -d '\n' | wc -c; wc -lwc access.log | tr -s ' '
