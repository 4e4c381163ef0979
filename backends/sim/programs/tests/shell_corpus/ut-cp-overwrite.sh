echo new > a; echo old > b
cp -n a b; cat b
cp -u a b; cat b
cp -i a b < /dev/null; echo; cat b
echo y | cp -i a b; echo; cat b
echo older > c; touch -d 2000-01-01 c; cp -u c a; cat a
cp -v --remove-destination a c
ln -s missing m
cp a m; echo $?
cp --remove-destination a m; cat m
mkdir d; cp -T a d; echo $?
cp -r d a; echo $?
echo keep > r; chmod 0 r; cp -f a r; echo $?; cat r
