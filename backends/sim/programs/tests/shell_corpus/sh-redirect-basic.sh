echo a >f; cat f; echo b >>f; cat f; echo c >f; cat <f
cat <f >g; cat g
>empty; cat empty; echo $?
echo d >f 2>&1; cat f
echo e 2>err >f; cat f err
<f cat
>h echo front; cat h
echo mid >i dle; cat i
{ echo 1; echo 2; } >j; cat j
for i in a b; do echo $i; done >k; cat k
while read l; do echo "r$l"; done <k
if true; then echo if; fi >l; cat l
(echo sub) >m; cat m
case a in a) echo case;; esac >n; cat n
