[ -z "$!" ] && echo empty
: & a=$!; : & b=$!; [ $a != $b ] && echo differ; [ $! = $b ] && echo same
(echo $! | grep -q $b) && echo inherited
wait
