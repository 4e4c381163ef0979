for p in a /a a/ /a/ a/b a/b/ a//b // / '' . .. ./a a/. //a/b//; do
  printf '[%s] [%s] [%s]\n' "$p" "$(basename "$p")" "$(dirname "$p")"
done
basename a/b.c .c; basename .c .c; basename a.c c; basename a.c a.c
basename -a a/b c/d; basename -s .c a/x.c b/y.c; basename -z a/b | tr '\0' '!'; echo
dirname a/b c/d/e /x; dirname -z a/b | tr '\0' '!'; echo
basename; echo $?
dirname; echo $?
basename a b c; echo $?
basename --bad; echo $?
