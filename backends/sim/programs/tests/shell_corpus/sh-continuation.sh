ec\
ho one
echo tw\
o
if tr\
ue; th\
en echo three; fi
x=va\
lue
echo $x ${\
x} $\
x
echo a &\
& echo b
