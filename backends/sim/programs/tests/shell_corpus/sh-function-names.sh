_f1() { echo ok; }; _f1
f () { echo space; }; f
f()
{ echo newline; }; f
ls() { echo my ls; }; ls
echo() { printf 'my echo %s\n' "$*"; }; echo hi
unset -f ls echo
echo back
