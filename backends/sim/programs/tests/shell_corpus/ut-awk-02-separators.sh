printf 'a:b::c\n:x:\n' > colons
awk -F: '{print NF, $1, $2, $4}' colons
awk -F ':+' '{print NF; for (i = 1; i <= NF; i++) printf "[%s]", $i; print ""}' colons
awk 'BEGIN {FS = ":"; OFS = "-"} {$1 = $1; print}' colons
awk -F: -v OFS=, '{print $1, $2; $1 = $1} 1' colons
printf 'a\tb c\td\n' | awk -F '\t' '{print $2; print NF}'
printf 'a|b|c\n' | awk -F '|' '{print $2}'
printf 'a|b|c\n' | awk -F '\\|' '{print $3}'
printf 'a.b.c\n' | awk -F . '{print $3, NF}'
printf ' a  b \n' | awk -F ' ' '{print NF, $1}'
printf 'abc\n' | awk -F '' '{print NF, $2}'
printf 'one1two22three\n' | awk -F '[0-9]' '{print NF, $4}'
printf '  a b\t c \n' | awk '{print NF; $1 = $1; print "<" $0 ">"}'
printf 'a b\nc:d\n' | awk '{FS = ":"} {print $1}'
printf 'x,y;z\n' | awk -F '[,;]' '{print $1 $2 $3}'
awk 'BEGIN {n = split("a:b:c", p, ":"); print n, p[1], p[3]
n = split("", p); print n, length(p)
n = split("  a b ", p); print n, p[1], p[2]
n = split("abc", p, ""); print n, p[2]
n = split("a1b2c", p, /[0-9]/); print n, p[3]
n = split(":a:", p, ":"); print n, "[" p[1] "]", p[2]}'
