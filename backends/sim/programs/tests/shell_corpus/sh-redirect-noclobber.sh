set -C
echo a >f; echo b >f; echo $?; cat f
echo c >|f; cat f
echo d >>f; cat f
echo e >/dev/null; echo $?
set +C; echo g >f; cat f
