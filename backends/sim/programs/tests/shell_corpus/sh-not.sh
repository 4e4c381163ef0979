! true; echo $?
! false; echo $?
! (exit 5); echo $?
! false | true; echo $?
! true | false; echo $?
if ! true; then echo a; else echo b; fi
while ! true; do echo c; done
