: >f; mkdir d; ln -s f l; ln -s nosuch bl; echo x >s
t() { test "$@"; echo "$? $*"; }
t -e f; t -e nosuch; t -f f; t -f d; t -d d; t -d f; t -h l; t -L l; t -e bl; t -h bl; t -s f; t -s s; t -r f; t -w f; t -x f; t -x d; t -p f; t -b f; t -c /dev/null; t -S f; t -u f; t -g f; t -k f; t -O f; t -t 0
t f -ef l; t f -ef s; t s -nt nosuch; t ! -e nosuch; t -f f -a -d d; t -f d -o -d d
