echo a # comment
# whole line
echo b#c '#d' "#e" \#f
echo g;# after
# with 'quote
echo h
