echo hi | tee a b; cat a b
echo more | tee -a a > /dev/null; cat a
echo x | tee nope/x c; echo $?; cat c
echo x | tee; echo x | tee -z; echo $?
mkdir d; echo y | tee d e; echo $?; cat e
yes | tee f | head -n 2; wc -c < f | grep -q . && echo some
echo q | tee /dev/full; echo $?
