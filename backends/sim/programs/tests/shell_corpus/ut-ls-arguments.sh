mkdir d e; touch d/x e/y f g; ln -s d ld; ln -s f lf; ln -s nope dang
ls d e f; ls d nope f; echo $?
ls ld; ls -d ld; ls lf dang; ls -F ld; ls -H ld; ls -L lf
ls nope; echo $?
ls d/nope; echo $?
ls f/; echo $?
ls -R; ls -R d e; ls -d d e f; ls ''; echo $?
ls --foo; echo $?
ls --sort=foo; echo $?
ls --time=foo; echo $?
ls --format=foo; echo $?
ls -w x; echo $?
ls --block-size=foo; echo $?
ls -l dang nope2 | sed 's/.* -> /-> /'; echo $?
