echo 0123456789 >f
exec 3<>f
read x <&3; echo $x
echo more >&3
exec 3>&-
cat f
echo new 1<>g; cat g
