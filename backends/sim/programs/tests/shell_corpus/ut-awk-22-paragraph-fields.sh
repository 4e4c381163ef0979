cat > cards <<'E'


Name: Ann
City: Oslo

Name: Bob
City: Rome
Note: two words


Name: Cat
E
awk 'BEGIN {RS = ""; FS = "\n"} {print NR ":" NF; for (i = 1; i <= NF; i++) {split($i, p, ": "); print "  " p[1] "=" p[2]}}' cards
awk 'BEGIN {RS = ""; FS = "\n"; ORS = "\n--\n"; OFS = "; "} {$1 = $1; print}' cards
awk 'BEGIN {RS = ""} /Rome/ {print $2, NF}' cards
awk -v RS= 'END {print NR}' cards
awk 'BEGIN {RS = ""} {getline x; print $2 "/" length(x) ; print NR}' cards
awk 'NR == 3 {RS = ""} {print NR, $0}' cards | head -4
