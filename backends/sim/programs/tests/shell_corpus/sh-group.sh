{ echo a; echo b; }
{ echo c
}
{ echo d; } | cat
x=1; { x=2; }; echo $x
{ (exit 3); }; echo $?
{ echo e; { echo f; }; }
echo { a } {
{ false; } || echo g
