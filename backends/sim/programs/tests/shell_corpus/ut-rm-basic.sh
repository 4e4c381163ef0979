touch a b c; mkdir d; touch d/x
rm a; ls
rm nope; echo $?
rm -f nope; echo $?
rm d; echo $?
rm -d d; echo $?
rm -v b
rm -rv d
mkdir e; rm -dv e
rm; echo $?
rm -f; echo $?
rm -r . ; echo $?
rm -r ..; echo $?
rm -rf nope/ nope2/x; echo $?
touch f; rm f/; echo $?; ls
