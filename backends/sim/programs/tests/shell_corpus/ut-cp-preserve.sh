umask 022
echo x > a; chmod 640 a; touch -d '2020-01-02 03:04:05' a
cp a b; stat -c '%a' b
cp -p a c; stat -c '%a %Y' c
cp --preserve=mode a e; stat -c '%a' e
cp --preserve=timestamps a f; stat -c '%Y' f
chmod 700 a; cp a b; stat -c '%a' b
mkdir d; chmod 750 d; touch -d '2019-01-01' d
cp -a d d2; stat -c '%a %Y' d2
cp -r d d3; stat -c %a d3
cp --no-preserve=mode a g; stat -c %a g
cp --preserve=bogus a h; echo $?
