t() { "$@"; echo "$? $*"; }
t test 1 -eq 1; t test 1 -ne 1; t test 1 -lt 2; t test 2 -le 1; t test 3 -gt 2; t test 3 -ge 4; t test -5 -lt 0; t test 007 -eq 7; t test ' 5 ' -eq 5
t test a -eq 1; t test 1 -eq; t test 1 -foo 2; t test 1.5 -eq 1; t test '' -eq 0; t [ 1 -eq 1; t [; t test 1 2; t test 1 2 3 4 5
