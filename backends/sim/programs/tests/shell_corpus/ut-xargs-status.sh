echo a b | xargs -n1 false; echo $?; echo a | xargs nosuchcommand; echo $?; echo a | xargs sh -c 'exit 255'; echo $?
echo a b | xargs -n1 sh -c 'exit 7'; echo $?; echo a | xargs sh -c 'kill -9 $$'; echo $?; printf '#!/bin/sh\n' > s; echo a | xargs ./s; echo $?
xargs -z; echo $?; xargs -n; echo $?; xargs -n x echo; echo $?; xargs -n 0 echo; echo $?; xargs -d xx echo; echo $?; xargs -P x; echo $?; xargs -a nope; echo $?
echo a b c d | xargs -n1 -P2 sh -c 'echo $0' | sort; echo 3 2 1 | xargs -n1 -P0 sh -c 'echo $0' | sort; echo a b | xargs -n1 sh -c 'cat; echo $0'
echo a b | xargs -n 1 sh -c 'test $0 = a && exit 255; echo $0'; echo $?; echo x | xargs -I{} sh -c 'echo {}; exit 3'; echo $?
