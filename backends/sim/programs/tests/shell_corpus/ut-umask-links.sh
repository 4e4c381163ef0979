umask 027; touch f; mkdir d; stat -c %a f d; umask 022; cp f g; stat -c %a g; ln g h; chmod 600 h; stat -c '%a %h' g; mv h i; stat -c %h i; rm g; stat -c %h i
mkdir -m 2775 s; touch s/x; mkdir s/sub; stat -c %a s s/sub; ln -s i l; chmod 644 l; stat -c %a i; cp -P l m; readlink m; mv l n; readlink n; cat n; rm i; cat n; echo $?; test -L n && echo link; ls -l n | sed 's/.* n/n/'
