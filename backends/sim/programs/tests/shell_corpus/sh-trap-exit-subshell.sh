trap 'echo main' EXIT
(echo sub)
(trap 'echo subtrap' EXIT; echo in sub)
x=$(trap 'echo subst' EXIT; echo body); echo "$x"
trap - EXIT
echo end
