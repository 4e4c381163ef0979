# mkdir as a lock: of several only one gets it.
for i in 1 2 3 4 5 6; do (mkdir lock 2>/dev/null && echo won >> winners) & done; wait; wc -l < winners
for i in 1 2 3 4; do (ln -s $i owner 2>/dev/null && echo won >> w2) & done; wait; wc -l < w2
for i in 1 2 3 4; do mktemp t.XXXXXX >> names & done; wait; sort -u names | wc -l
for i in 1 2 3 4; do mkdir -p deep/er/tree & done; wait; find deep | sort
