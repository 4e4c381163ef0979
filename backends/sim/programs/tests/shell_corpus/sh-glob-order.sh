mkdir o; cd o
for i in z a M 10 9 1 _ B b; do : >$i; done
echo *
for f in *; do printf '<%s>' "$f"; done; echo
