printf 'alice 30 paris\nbob 25 rome\ncarol 41 oslo\n' > people
awk '{print $1}' people
awk '{print $NF, NF, NR}' people
awk '$2 > 28' people
awk '$2 > 28 {print $1 " is " $2}' people
awk '/bob/ {print $3}' people
awk 'NR==2, NR==3 {print NR ": " $0}' people
awk 'END {print NR, $0}' people
awk '{$2 = "x"; print; print NF}' people
awk '{$6 = "z"; print; print NF}' people
awk '{NF = 2; print}' people
awk '{$0 = "a b c d"; print $3, NF}' people
awk 'BEGIN {$3 = "c"; print; print NF; NF = 5; print $0 "."}'
awk '{print $(NF-1), $NF-1, $(1)}' people
awk '{i = 1; print $i++, i; print $++i}' people
