printf 'a b\nc "d e" f\\ g\n' | xargs -n1 echo; printf 'a b c d e' | xargs -n 2 echo; printf "'x y' z" | xargs printf '[%s]\n'
printf '' | xargs echo run; printf '' | xargs -r echo run; echo a | xargs; printf 'a\0b c\0' | xargs -0 -n1 echo; printf 'a,b,c' | xargs -d, echo
printf 'a\\nb' | xargs echo; printf 'a\nb\n' | xargs -d '\n' -n1 echo; printf 'one two\nthree\n' | xargs -I X echo '<X>' 'X-X'; printf '  lead  \n' | xargs -I{} echo '[{}]'
printf 'a b \nc\nd\n' | xargs -L1 echo; printf 'a b\nc\n\nd\n' | xargs -L 1 echo; printf 'a\nb\nc\n' | xargs -L2 echo; printf 'a\nb\nEND\nc\n' | xargs -E END echo
printf 'a b c' | xargs -t echo; printf 'a\nb\n' > in; xargs -a in echo; printf 'abc def ghi' | xargs -s 12 echo; printf 'a b' | xargs -n5 -x echo
printf "a 'b\n" | xargs echo; echo $?; printf 'a "b\n' | xargs echo; echo $?; printf '""\n' | xargs -n1 sh -c 'echo $#' x; echo a b c | xargs sh -c 'echo $0 $@'
printf 'a\n' | xargs -i echo {}-{}; echo 1 2 3 4 | xargs -n2 -I{} echo {}; xargs echo hi < /dev/null
