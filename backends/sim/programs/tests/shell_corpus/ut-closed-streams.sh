cat < /dev/null >&-; echo $?; ls >&-; echo $?; echo hi | cat <&- ; echo $?; cp a b 2>&-; echo $?; mkdir d >&-; echo $?; touch x <&- >&-; ls; tee y <&-; echo $?; date >&- 2>/dev/null; echo $?
