hash; hash nosuch; echo $?
hash -r; hash cd; hash; echo $?
