/bin/kill -l; /bin/kill -l 9; /bin/kill -l TERM; /bin/kill -L
