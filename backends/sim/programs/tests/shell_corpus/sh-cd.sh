mkdir -p a/b; top=$PWD
cd a; echo ${PWD#$top}; cd b; echo ${PWD#$top}; cd ..; echo ${PWD#$top}; cd ../a/./b/..; echo ${PWD#$top}
cd - >/dev/null; cd - >/dev/null; echo ${OLDPWD#$top}
cd nosuch; echo $? ${PWD#$top}
cd $top; : >file; cd file; echo $?
cd a && pwd | grep -c a
HOME=$top; cd; [ $PWD = $top ] && echo home
cd ''; echo $?; cd .; cd ./a; echo ${PWD#$top}
cd a b; echo $?
cd -x; echo $?
