awk 'BEGIN {print substr("hello", 2), substr("hello", 2, 3), substr("hello", 4, 10), "<" substr("hello", 6) ">", "<" substr("hello", 2, 0) ">"}'
awk 'BEGIN {print index("foobar", "bar"), index("foo", "x"), index("", "a"), length(""), length("a b")}'
awk 'BEGIN {print toupper("aBc1") tolower("DeF"), length("x" "yz")}'
awk 'BEGIN {print "tab\there", "quote\"q", "back\\slash", "oct\101"}'
awk 'BEGIN {s = "abc"; for (i = length(s); i > 0; i--) r = r substr(s, i, 1); print r}'
echo 'some text here' | awk '{print length, length(), length($1)}'
awk 'BEGIN {print "a\
b"}'
awk 'BEGIN {print length("a\nb"); print "x" \
  , "y"}'
awk -v 's=a\tb\\n' 'BEGIN {print s}'
echo 'x' | awk '{print s}' 's=q\nr' -
awk 'BEGIN {print substr("hello", 0)}'
awk 'BEGIN {print "a.b" ~ "a.b", "a\.b"}'
