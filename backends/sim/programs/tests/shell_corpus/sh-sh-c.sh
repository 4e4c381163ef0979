sh -c 'echo $0 $1 $#' name a b
sh -c 'echo $0 $#'
sh -c; echo $?
sh -ec 'false; echo no'; echo $?
sh -c 'echo a
echo b'
sh -uc 'echo $x'; echo $?
sh -xc 'echo t'
sh -e -c 'echo $-' ; sh -c 'echo "$-"'
sh -c 'nosuch' myname; sh -c 'fi' myname; echo $?
sh -o nosuch -c x; echo $?; sh -Z; echo $?
sh -c 'exit 3' & wait $!; echo $?
