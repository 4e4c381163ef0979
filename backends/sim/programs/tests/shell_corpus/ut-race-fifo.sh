mkfifo p; (for i in 1 2 3; do echo $i; done > p) & cat p; wait
mkfifo q; exec 8<>q; (echo a > q) & (echo b > q) & wait; head -n 2 <&8 | sort; exec 8>&-
mkfifo r s; (read x < r; echo "got $x" > s) & echo ping > r; cat s; wait
mkfifo t; tee t2 < t > t3 & printf 'x\ny\n' > t; wait; cmp t2 t3 && echo same
timeout 0.2 cat p; echo $?
