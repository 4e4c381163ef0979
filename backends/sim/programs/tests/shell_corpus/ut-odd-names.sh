touch -- '-dash' 'a b' "q'uote" 'dq"' 'back\slash' 'star*' '$dollar' "$(printf 'tab\there')" "$(printf 'nl\nhere')" "$(printf '\303\251')" 'a:b' ' lead' '#hash' '~tilde' 'a=b' 'x!y' '[br]' '{}' 'semi;'
for f in *; do cat "$f/nope" 2>&1; mkdir -- "$f" 2>&1; rm -- "$f/x" 2>&1; ls -- "$f/z" 2>&1; stat -c %N -- "$f"; cp -- "$f" nodir/ 2>&1; done
ls -Q; ls -b; ls --quoting-style=shell-escape; ls --quoting-style=c; ls -q; ls -N | wc -l; find . -name '*b*' | sort; find . -type f -print0 | xargs -0 ls -d | wc -l; find . -type f | xargs -d '\n' -n1 basename 2>/dev/null | wc -l; rm -v -- *
