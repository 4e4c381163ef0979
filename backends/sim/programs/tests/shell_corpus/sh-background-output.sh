(sleep 0.2; echo second) & echo first; wait; echo third
{ sleep 0.1; echo b; } & (sleep 0.3; echo c) & echo a; wait
echo a | (sleep 0.1; cat) & wait; echo done
f() { sleep 0.1; echo f; }; f & wait $!; echo end
if true; then sleep 0.1; echo if; fi & wait
