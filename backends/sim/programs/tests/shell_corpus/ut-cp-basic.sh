echo one > a
cp a b; cat b
cp -v a c
mkdir d
cp a b d; ls d
cp -v a d/x
cp a nope/x; echo $?
cp nope x; echo $?
cp a a; echo $?
cp d e; echo $?
cp; echo $?
cp a; echo $?
cp a b c; echo $?
