# A counter behind three kinds of locks; none loses an update.
reset() { echo 0 >counter; }
bump() { n=$(cat counter); n=$((n + 1)); echo $n >counter; }
reset
for w in 1 2 3 4; do ( for i in 1 2 3 4 5; do
  until mkdir lock.d 2>/dev/null; do sleep 0.001; done; bump; rmdir lock.d; done ) & done; wait; echo "mkdir $(cat counter)"
reset
for w in 1 2 3 4; do ( for i in 1 2 3 4 5; do ( flock 9; bump ) 9>lock; done ) & done; wait; echo "flock $(cat counter)"
reset
for w in 1 2 3 4; do ( for i in 1 2 3 4 5; do
  until ( set -C; echo $w >lock.f ) 2>/dev/null; do sleep 0.001; done; bump; rm -f lock.f; done ) & done; wait; echo "noclobber $(cat counter)"
reset
for w in 1 2 3 4; do ( for i in 1 2 3 4 5; do
  echo $w >t.$w; until ln t.$w lock.l 2>/dev/null; do sleep 0.001; done; bump; rm -f lock.l; done; rm -f t.$w ) & done; wait; echo "link $(cat counter)"; ls
