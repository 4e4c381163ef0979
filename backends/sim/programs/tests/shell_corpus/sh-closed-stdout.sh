echo a >&-; echo $?
printf a >&-; echo $?
(echo b; echo c >&2) >&- 2>/dev/null; echo $?
