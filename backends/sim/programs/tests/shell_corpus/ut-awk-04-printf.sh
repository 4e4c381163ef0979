awk 'BEGIN {printf "%d %i %5d|%-5d|%05d|%+d|% d\n", 42, 3.99, 7, 7, 7, 7, 7}'
awk 'BEGIN {printf "%s|%10s|%-10s|%.2s|%5.1s|\n", "abc", "abc", "abc", "abc", "abc"}'
awk 'BEGIN {printf "%f %.2f %8.3f|%e|%E|%g|%G\n", 3.14159, 3.14159, 3.14159, 12345.678, 0.00012, 0.0001, 1e20}'
awk 'BEGIN {printf "%x %X %o %#x %#o %u\n", 255, 255, 8, 255, 8, 12}'
awk 'BEGIN {printf "%c%c%c|", 65, "BCD", "x"; printf "%5c|%-3c|\n", "a", "b"}'
awk 'BEGIN {printf "%*d|%-*d|%.*f\n", 5, 42, 5, 42, 2, 3.14159}'
awk 'BEGIN {printf "100%%\n"; printf("%s %s\n", "a", "b"); printf "no newline"; print ""}'
awk 'BEGIN {x = sprintf("%03d-%s", 7, "q"); print x, length(x); print sprintf("plain")}'
awk 'BEGIN {printf "%s %d %s\n", 1e6, "3abc", 0.1 + 0.2; printf "%d %d\n", "0x", -3.7}'
awk 'BEGIN {printf "%s\n"}' 2> /dev/null; echo $?
awk 'BEGIN {printf "%d%s\n", 1}' > /dev/null 2>&1; echo $?
echo '65 abc' | awk '{printf "%c %c\n", $1 + 0, $2}'
awk 'BEGIN {printf "a\tb\\n\"q\"\101\n"}'
