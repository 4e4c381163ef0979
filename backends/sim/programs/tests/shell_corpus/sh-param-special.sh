echo $? $#
false; echo $? $?
(exit 42); echo $?
[ "$$" -gt 0 ] && echo pid
echo "$0"
[ "$$" = "$(echo $$)" ] && echo same
echo "[$!]"
: & [ -n "$!" ] && echo has
wait
set -f -u; echo $-
