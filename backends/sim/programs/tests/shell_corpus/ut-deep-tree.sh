d=x; i=0; while [ $i -lt 60 ]; do mkdir $d; d=$d/x; i=$((i + 1)); done
find x | wc -l; find x -depth | head -n 1 | tr -cd / | wc -c; cp -r x y; find y | wc -l; chmod -R 700 y; ls -R y | grep -c :; mv x z; find z -maxdepth 30 | wc -l; rm -r y z; ls
