for w in apple banana cherry '' '*' 'a b' x; do
case $w in
apple) echo 1;;
b*|c*) echo 2 ;;
'') echo empty;;
\*) echo star;;
'a b') echo space
;;
*) echo other "$w"
esac
done
