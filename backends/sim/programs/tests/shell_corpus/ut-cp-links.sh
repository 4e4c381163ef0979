echo x > f; ln -s f l; ln f h
cp l a; stat -c %F a
cp -P l b; stat -c %F b; readlink b
cp -d l c; readlink c
cp -a f h k 2>&1; echo $?
mkdir d; cp -a f h d; stat -c %h d/f d/h
mkdir e; cp f h e; stat -c %h e/f e/h
cp -l f hl; stat -c %h f
cp -s f sl; readlink sl
cp -sf f sl; echo $?
cp -s f d/sl; echo $?
mkdir t; ln -s ../f t/l; cp -rL t t2; stat -c %F t2/l
cp -rH t t3; stat -c %F t3/l
