printf 'a b\nc d\n\n\n\ne f\ng\n\n' > paragraphs
awk 'BEGIN {RS = ""} {print NR ": " $1 "-" $NF " " NF; for (i = 1; i <= NF; i++) printf "[%s]", $i; print ""}' paragraphs
awk 'BEGIN {RS = ""; FS = "\n"} {print NR, $1, $2, NF}' paragraphs
printf '\n\n\na\n' | awk 'BEGIN {RS = ""} {print NR, "<" $0 ">"}'
printf 'a;b;c\n' | awk 'BEGIN {RS = ";"} {print NR, $0 "."}'
printf 'a1b22c' | awk 'BEGIN {RS = "[0-9]+"} {print NR, $0}'
printf 'a\nb' | awk '{print NR, $0}'
printf '' | awk '{print "never"} END {print NR}'
printf '\n\n' | awk '{print NR, NF, "<" $0 ">"}'
printf 'a,b,c' | awk 'BEGIN {RS = ","; ORS = "|"} {print} END {printf "\n"}'
printf 'oneXXtwoXXthree\n' | awk 'BEGIN {RS = "XX"} {print NR, $0}'
printf 'a b\n' | awk 'BEGIN {ORS = "!\n"; OFS = "+"} {print $1, $2}'
