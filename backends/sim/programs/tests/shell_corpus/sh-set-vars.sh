a='x y' b="it's" c=
set | grep '^[abc]='
