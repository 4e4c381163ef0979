echo a >/dev/full; echo $?
