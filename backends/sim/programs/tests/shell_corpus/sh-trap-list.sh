trap 'echo a' INT; trap "echo 'b c'" TERM; trap '' HUP; trap 'x' EXIT
trap
trap - EXIT
trap -- '' USR2; trap | cat
