mkdir -p a/b/c/d/e; touch a/1 a/b/2 a/b/c/3; ln -s ../.. a/b/up; ln -s nowhere a/dang
touch keep; ln -s keep lk
rm -r a lk; echo $?; ls
mkdir -p x/y; touch 'x/sp ace' 'x/-dash'; rm -r x; ls
mkdir l; ln -s l ll; rm -r ll/; echo $?; rm -r ll; echo $?; ls
