echo a
set -v
echo b
for i in 1 2
do echo $i
done
set +v
echo c
