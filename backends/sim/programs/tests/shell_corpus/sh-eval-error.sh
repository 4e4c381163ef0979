eval 'echo a; fi'
echo no
