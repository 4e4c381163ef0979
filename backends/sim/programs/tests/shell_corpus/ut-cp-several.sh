mkdir d x y
echo 1 > x/f; echo 2 > y/f; echo 3 > g
cp x/f y/f d; echo $?; cat d/f
cp g g d; echo $?
cp -t d g; ls d
cp -t nope g; echo $?
cp g x/f nope; echo $?
cp -t d; echo $?
cp --target-directory=d -v g
