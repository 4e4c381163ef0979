printf '%s %d %i %u %o %x %X %c %%\n' str 5 -6 7 8 255 255 char
printf '%5s|%-5s|%05d|%+d|%.2s|%5.1f\n' a b 42 5 xyz 3.14159
printf '%s\n' a b c; printf '%s-%s\n' 1 2 3; printf 'no args\n' x y
printf '%d %d\n' 0x10 010; printf "%d\n" "'A"; printf '\a\b\f\v' | od -c; printf 'a\tb\n\\ \101\n'
printf '%b|' 'a\tb' 'c\0101' 'd\cx' no; echo
printf '%d\n' abc; echo $?; printf '%d\n' 5x; echo $?; printf '%q'; echo $?; printf; echo $?
printf '%*d|%-*d|%.*f\n' 5 1 5 2 2 1.005
printf '%e %g %G %E\n' 12345.678 0.00001 1e20 0
printf '%s'; printf '%d\n'; printf %s\\n -- x; printf -- '%s\n' y
