mkdir n; cd n
: >'a b'; : >'c*d'; : >'e[f'; : >'g\h'
for f in *; do printf '<%s>' "$f"; done; echo
echo c\** "e["* 'g\'*
x='a b'; ls "$x"
