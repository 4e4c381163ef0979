HOME='/a b*'
printf '[%s]' ~ ~/x; echo
x=~
printf '[%s]' "$x"; echo
echo ~"/x" ~'root' ~$USER/
