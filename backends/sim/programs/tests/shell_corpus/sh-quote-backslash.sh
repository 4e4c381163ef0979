echo \a \\ \" \' \$x a\ b \# \; \| \& \< \> \( \)
echo a\
b
echo "c\
d"
echo 'e\
f'
printf '%s\n' \* \? \[a\] \~
