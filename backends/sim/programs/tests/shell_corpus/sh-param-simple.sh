a=1 b=two c='three 3'
echo $a $b $c ${a} ${b}x $ax ${a}x
echo "$a-$b_" "${b}_"
_x9=ok; echo $_x9
