echo $(echo a) "$(echo b  c)" $(echo d  e) `echo f`
x=$(echo g; echo h)
echo "$x" $x
echo $(printf 'a\n\n\n')x "$(printf '\n\na\n')"
echo [$(:)] ["$(true)"]
echo $(echo $(echo $(echo deep)))
echo "$(echo "$(echo "q  q")")"
