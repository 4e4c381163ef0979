echo new > a; echo old > b
mv -n a b; ls; cat b
mv -i a b < /dev/null; echo; cat b
echo y | mv -i a b; echo; cat b
echo 1 > a; touch -d 2000-01-01 a; mv -u a b; ls; cat b
mv -vf a b; cat b
echo x > p; ln p q; mv p q; echo $?; ls
mkdir d1 d2; echo 1 > d1/f; echo 2 > d2/f; mkdir t; mv d1/f d2/f t; echo $?; cat t/f
