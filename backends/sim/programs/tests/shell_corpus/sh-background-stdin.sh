cat & wait; echo $?
echo in | { cat & wait; }; echo $?
