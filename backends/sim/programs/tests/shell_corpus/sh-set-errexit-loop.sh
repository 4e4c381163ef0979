set -e; for i in 1 2; do echo $i; [ $i = 2 ]; done; echo no
