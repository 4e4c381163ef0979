# Increments under a lock are never lost, whatever the schedule.
echo 0 > n
for i in 1 2 3 4 5; do
  flock lock sh -c 'v=$(cat n); echo $((v + 1)) > n' &
done
wait; cat n
