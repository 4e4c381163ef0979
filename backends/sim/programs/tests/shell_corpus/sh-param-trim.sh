x=abcabc
echo ${x#a} ${x#*b} ${x##*b} ${x%c} ${x%b*} ${x%%b*} ${x#x} ${x%x}
echo ${x#abcabc} ${x##*} ${x%%*} ${x#?} ${x%?} ${x#??} ${x#[ab]} ${x%[!a]}
p='*b'
echo ${x#$p} ${x#"$p"} ${x##$p} ${x#'*b'} ${x#\*b}
f=/usr/local/lib/file.tar.gz
echo ${f##*/} ${f%/*} ${f%.*} ${f%%.*} ${f#*.} ${f##*.}
