echo a >/nosuchdir/x; echo $?
cat </nosuchfile; echo $?
echo b >/; echo $?
{ echo c; } >/nosuchdir/x; echo $?
(echo d) </nosuchfile; echo $?
f() { echo e; }; f >/nosuchdir/x; echo $?
echo g >&7; echo $?
if true; then echo h; fi </nosuchfile; echo $?
while false; do :; done </nosuchfile; echo $?
nosuchcmd </nosuchfile; echo $?
x=5 </nosuchfile; echo $? [$x]
cat <f/g; echo $?
: >file; cat <file/x; echo $?
echo >file/x; echo $?
