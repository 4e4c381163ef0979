echo a >f 2>g >h; ls f g h; cat f h
(echo o; echo e >&2) >x 2>&1; cat x
(echo o; echo e >&2) 2>&1 >y | cat; cat y
