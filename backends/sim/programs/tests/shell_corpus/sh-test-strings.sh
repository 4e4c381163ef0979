t() { "$@"; echo "$? $*"; }
t test a; t test ''; t test; t test -n a; t test -n ''; t test -z ''; t test -z a; t test a = a; t test a = b; t test a != b; t [ a = a ]; t [ a ]
t test ! a; t test ! ''; t test ! a = b; t test \( a \); t test -n; t test =; t test a = ; t test -n = -n
t test a \< b; t test b \> a; t test a -a b; t test a -o ''; t test '' -o ''; t test a = a -a b = c
