truncate -s 5 a; stat -c %s a
truncate -s +3 a; stat -c %s a
truncate -s -2 a; stat -c %s a
truncate -s '<4' a; stat -c %s a
truncate -s '>10' a; stat -c %s a
truncate -s %8 a; stat -c %s a
truncate -s /10 a; stat -c %s a
truncate -s 1K a; stat -c %s a
truncate -s 1kB a; stat -c %s a
truncate -r a b; stat -c %s b
truncate -r a -s +1 b; stat -c %s b
truncate -c -s 1 nope; ls
truncate -s x a; echo $?
truncate a; echo $?
truncate -s 1; echo $?
truncate -s 1 nope/x; echo $?
truncate -s /0 a; echo $?
printf hello > h; truncate -s 2 h; cat h; echo; truncate -s 4 h; od -c h
mkdir d; truncate -s 1 d; echo $?
truncate -s -100 h; stat -c %s h
truncate -r nope h; echo $?
