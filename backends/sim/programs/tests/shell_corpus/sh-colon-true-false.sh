: a b $(echo c); echo $?
true x; echo $?; false x; echo $?
: ${x:=set}; echo $x
