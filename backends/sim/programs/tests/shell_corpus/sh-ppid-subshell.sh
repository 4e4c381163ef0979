a=$$; (b=$$; [ $a = $b ] && echo same)
[ "$(sh -c 'echo $PPID')" = "$$" ] && echo parent
