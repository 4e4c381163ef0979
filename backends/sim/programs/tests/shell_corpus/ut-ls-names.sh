mkdir d d/s; touch a b .h 'sp ace' "it's" d/x; ln -s a l; mkfifo p; chmod +x b; touch "$(printf 'n\nl')" z~ .w~
ls; ls -1; ls -a; ls -A; ls -A d; ls -d d; ls -d; ls -F; ls -p; ls --file-type; ls -r; ls -U > /dev/null; ls -f d | sort
ls -Q; ls -b; ls -N; ls -q; ls --quoting-style=shell-escape
ls -B; ls -I 'a*' -I b; ls --hide='*e'; ls --hide=a -a; ls -m; ls -C; ls -x; ls -w 20 -C; ls -w 20 -x; ls -w 20 -m
ls --group-directories-first; ls -v; ls -X; ls --indicator-style=slash; ls --zero a b | tr '\0' '!'; echo
ls --color=never a; ls -G a; ls -k a; ls nothing*; echo $?
