# Needs root.
umask 022; mkdir d; printf 12345 > f; printf 1 > longername; ln -s f l; mkfifo p; ln f h
touch -d '2020-01-02 03:04:05' f; touch -h -d '2019-05-06' l; touch -d '2018-12-31 23:59' longername p; touch -d '2001-02-03' d
cut='s/^\([^ ]* *[0-9]* *[^ ]* *[^ ]*\) /\1 /'
ls -l f l longername p; ls -lg f; ls -lo f; ls -lG f; ls -ln f longername; ls -lh f; ls -l --si f
ls -ld d | sed 's/ [0-9]* Feb/ N Feb/'
ls -l --time-style=long-iso f; ls -l --time-style=iso f; ls -l --time-style=full-iso f; ls --full-time f; ls -l --time-style=+%Y f
ls -lF f l p; ls -lp f l; ls -lQ l; ls -lL l; ls -lH l; ls -l --time-style=bad f; echo $?
touch -a -d '2017-07-08 09:10' f; ls -lu f; ls -l --time=atime f
truncate -s 1234567 big; touch -d 2020-01-01 big; ls -lh big; ls -l --si big; ls -l --block-size=K big; ls -lgo big f
ls -l /dev/null | cut -c1-10
chmod 4755 f; ls -l f | cut -c1-10; chmod 1777 d; ls -ld d | cut -c1-10
