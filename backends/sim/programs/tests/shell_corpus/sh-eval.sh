eval echo a; eval 'echo b; echo c'; eval 'x=1'; echo $x
y='echo d'; eval $y; eval "$y" e
eval; echo $?
eval false; echo $?
eval '(exit 3)'; echo $?
n=v; v=val; eval "echo \$$n"; eval "$n=new"; echo $v
eval 'f() { echo f; }'; f
eval eval eval echo nested
eval "a
b='c d'
echo \$b"; echo $?
eval 'if true
then echo multi
fi'
