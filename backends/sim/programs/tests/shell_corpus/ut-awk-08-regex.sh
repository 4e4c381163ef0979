printf 'foo\nbar\nfoobar\nbaz.\nFOO\na+b\n' > words
awk '/foo/' words; echo -; awk '!/foo/' words; echo -; awk '/^foo$/' words
awk '$0 ~ "^b"' words; awk '$1 !~ /o/' words
awk '/\./' words; awk '/[.]/' words; awk '$0 ~ "\\."' words; awk '$0 ~ "\."' words
awk '/a\+b/' words; awk '/[a-c]+r$/' words; awk '/^(foo|baz)/' words
awk '/foo/ && /bar/' words; awk '/foo/ || /bar/ {print NR}' words
awk '/foo/, /bar/ {print "r", $0}' words
awk '/nothing/, /x/' words; awk 'NR == 2, 0' words
awk 'BEGIN {r = "^a.c$"; print ("abc" ~ r), ("abd" ~ r), "xx" ~ /x*/, "" ~ /^$/}'
awk 'BEGIN {print match("foobar", /o+/), RSTART, RLENGTH; print match("x", /y/), RSTART, RLENGTH; print match("abc", "$"), RLENGTH}'
awk 'BEGIN {print match("aXXXb", "X*"), RLENGTH; print match("baaac", /a+/), RSTART, RLENGTH, substr("baaac", RSTART, RLENGTH)}'
awk '{n += /o/} END {print n}' words
awk '/[[:upper:]]/; /[[:digit:]]/; /[[:punct:]]$/' words
awk 'BEGIN {if ("a/b" ~ /a\/b/) print "slash"; if ("a/b" ~ "/") print "again"; if ("]" ~ /[]]/) print "bracket"}'
awk 'BEGIN {print "a\nb" ~ /a.b/, "tab\there" ~ /\t/, "x" ~ /[^a-w]/}'
echo 'a.b' | awk '{x = /a.b/ ? "yes" : "no"; print x}'
