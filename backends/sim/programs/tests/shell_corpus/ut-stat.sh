printf hello > f; chmod 640 f; ln -s f l; mkdir d; mkfifo p
stat -c '%n %s %a %A %F %h' f l p; stat -c '%n %a %A %F %h' d
stat -c '%N' f l
stat -L -c '%F' l
stat -c '[%10s][%-10s][%010s][%+s][%5n][%-5n][%.2n]' f
stat --printf '%n\t%s\n\x41\102\\n' f
stat -c '%%%n%%' f
stat -c '%f %t %T' f
stat nope; echo $?
stat; echo $?
stat -c '%5' f; echo $?
touch -d '2020-01-02 03:04:05.678' f; stat -c '%y|%Y|%.3Y|%x' f
stat -c '%Q' f
stat -c '%B %o' f
stat -c '%u %U %g %G' / | cut -d' ' -f1,2
stat -c '%#a %#f' f
stat --printf '%s\q|\"|\xg|\101|\8|\\|\' f
