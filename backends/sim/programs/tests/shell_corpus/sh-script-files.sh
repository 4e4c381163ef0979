printf '#!/bin/sh\necho script $# $1\nexit 4\n' >s; chmod +x s
./s a b; echo $?
printf 'echo noshebang $1\n' >n; chmod +x n; ./n q; echo $?
printf '#!/nosuch/interp\n' >b; chmod +x b; ./b; echo $?
sh ./s x; echo $?; sh s y; echo $?
sh nosuch; echo $?
PATH=$PWD:$PATH; s z; echo $?
