case a in
a) echo
