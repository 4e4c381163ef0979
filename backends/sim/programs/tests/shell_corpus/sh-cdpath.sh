mkdir -p x/here y/there here
CDPATH=$PWD/x:$PWD/y
top=$PWD
x=$(cd there); echo ${x#$top}
x=$(cd here); echo ${x#$top}
cd ./here; echo ${PWD#$top}
cd there >/dev/null; echo ${PWD#$top}
