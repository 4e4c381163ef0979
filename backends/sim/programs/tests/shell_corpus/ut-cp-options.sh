echo a > a
cp --foo a b; echo $?
cp -z a b; echo $?
cp --target-directory; echo $?
cp --verb a b
cp --re a b; echo $?
cp --recursive=x a b; echo $?
cp -- a -b; cat ./-b
