# mv over a file is atomic: a reader sees the old or the new content, whole.
echo old > f; bad=0
(for i in 1 2 3 4 5 6; do echo new$i > t; mv t f; done; touch stop) &
while [ ! -e stop ]; do case $(cat f) in old|new[1-6]) ;; *) bad=$((bad + 1)) ;; esac; done; wait; echo $bad; cat f
