set --
printf '[%s]' ${1+"$@"}; echo
set -- 'a b' c
printf '[%s]' ${1+"$@"}; echo
printf '[%s]' "${@-none}" ; echo
printf '[%s]' ${x-"$@"}; echo
printf '[%s]' "${x-"$@"}"; echo
