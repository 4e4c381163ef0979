echo 1 > a
mv a b; cat b; ls
mkdir d; mv b d; ls d
mv -v d/b c
mv nope x; echo $?
mv c nope/x; echo $?
mv; echo $?
mv c; echo $?
mv c c; echo $?
echo 2 > e; mv c e d; ls d
mv d/c d/e nope; echo $?
mv -t d nope2; echo $?
mv d/c d/e .; ls
