echo 'echo from stdin $#' | sh
echo 'echo $1 $2' | sh -s a b
printf 'if true\nthen echo multi\nfi\n' | sh
printf 'echo a\nfi\necho b\n' | sh; echo $?
printf 'echo "unterminated\n' | sh; echo $?
printf 'cat <<E\nbody\nE\necho after' | sh
printf 'exit 5\necho no\n' | sh; echo $?
printf 'alias x="echo aliased"\nx y\n' | sh
