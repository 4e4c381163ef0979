mkdir -p a/b; echo x > a/1; echo y > a/b/2; touch 'a/sp ace'
find a -type f -print0 | sort -z | tr '\0' '!'; echo
find a -type f -exec cat {} \; | sort; find a -name 1 -exec echo '<{}>' x{}y \;
find a -type f -exec echo n {} + | wc -w; find a -type f -name '[12]' -exec cat {} + | sort
find a -type f -exec false {} \; -print; echo $?; find a -type f -exec false {} +; echo $?
find a -type f -exec test -s {} \; -print | sort; find a -name 1 -exec nosuchcommand {} \;; echo $?
find a -name 2 -execdir pwd \; | sed 's|.*/||'; find a -name 2 -execdir echo {} \;
find a -exec; echo $?; find a -exec echo; echo $?; find a -exec echo {} x +; echo $?
find a -name 1 -printf '%p|%f|%h|%P|%H|%d|%s|%m|%M|%y|%n|%l|%%|\t|\101|\n'; find a -type d -printf '%f %y\n' | sort
find a -type f -printf '[%10f][%-10f][%.1f][%05s]\n' -name 1 | sort
touch -d '2020-01-02 03:04:05' a/1; find a/1 -printf '%TY-%Tm-%Td %TH:%TM %T@ %t\n'; find a/1 -printf '%q\n'; find a/1 -printf '\q\n'
find a -name 'sp*' -delete; find a | sort; find a -type d -delete; echo $?; find a -delete; ls
mkdir -p x/y; touch x/y/z; find x -name z -delete -print; find x -empty -type d -delete; ls
