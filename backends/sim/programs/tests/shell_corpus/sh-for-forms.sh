for i in 1 2 3; do echo $i; done
for i in; do echo no; done; echo $?
for i
do echo no; done
set -- x y
for i do echo $i; done
for i in a
do
echo $i
done; echo $i
for i in $(echo p q) "r s" *.nosuch; do echo "[$i]"; done
for i in 1 2; do for j in a b; do echo $i$j; done; done
for do in a; do echo $do; done
for i in do done in; do echo $i; done
