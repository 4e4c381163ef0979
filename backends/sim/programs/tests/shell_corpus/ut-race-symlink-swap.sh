# ln -sf takes the place of a link at once: a reader never finds it missing.
echo 1 > a; echo 2 > b; ln -s a cur
(for i in 1 2 3 4 5 6; do ln -sf b cur; ln -sf a cur; done; touch stop) &
missing=0; while [ ! -e stop ]; do cat cur > /dev/null 2>&1 || missing=$((missing + 1)); done; wait; echo $missing; ls
