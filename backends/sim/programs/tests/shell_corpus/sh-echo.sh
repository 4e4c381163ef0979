echo; echo -n a; echo b; echo -n; echo -e x; echo -- y; echo -nn; echo a b  c "d  e"
echo 'a\tb\nc' 'x\\y' '\101' '\0101' '\z' 'q\'; echo 'stop\chere' no; echo
