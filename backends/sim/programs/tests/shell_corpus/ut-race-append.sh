# Lines written with O_APPEND in one write never tear and never go missing.
for i in 1 2 3 4; do
  (for j in 1 2 3 4 5; do printf 'writer %s line %s\n' $i $j >> log; done) &
done
wait; sort log | uniq -c | sort -n | head -n 1 | sed 's/^ *//'; wc -l < log
for i in 1 2 3; do dd if=/dev/zero bs=10 count=5 of=z oflag=append conv=notrunc status=none & done; wait; stat -c %s z
