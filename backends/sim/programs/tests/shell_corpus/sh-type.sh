f() { :; }; alias g=h
type cd : f g if; type nosuch; echo $?
type; echo $?
