printf 'the quick brown fox\njumps over the lazy dog\nthe end\n' > t
awk '{for (i = 1; i <= NF; i++) c[$i]++} END {for (w in c) if (c[w] > 1) print w, c[w]}' t
awk '{print length($0) ":" $0}' t
awk '{$1 = ""; print substr($0, 2)}' t
awk '{gsub(/[aeiou]/, "."); print}' t
awk '{n = split($0, ch, ""); r = ""; for (i = n; i; i--) r = r ch[i]; print r}' t
awk 'match($0, /[a-z]*o[a-z]*/) {print RSTART, RLENGTH, substr($0, RSTART, RLENGTH)}' t
awk '{print NR "\t" $0}' t | awk -F '\t' '{print $2 " (" $1 ")"}'
awk '{while (match($0, /o/)) {n++; $0 = substr($0, RSTART + 1)}} END {print n}' t
awk 'function cap(s) {return toupper(substr(s, 1, 1)) substr(s, 2)} {for (i = 1; i <= NF; i++) $i = cap($i)} 1' t
awk '/quick/ {f = 1} f {print} /jumps/ {f = 0}' t
awk 'NR == 1 {h = $0; next} {print h ":" $1}' t
awk '{ printf "%-24s|\n", $0 }' t
awk '{ a = a $0 "\n" } END { printf "%s", a; print length(a) }' t
