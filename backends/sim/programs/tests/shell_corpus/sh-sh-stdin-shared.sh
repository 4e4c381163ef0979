printf 'read x\nhello there\necho "got $x"\n' | sh
printf 'cat\nrest of input\nmore\n' | sh
printf 'echo one; read a\ntwo\necho $a' >in; sh <in
