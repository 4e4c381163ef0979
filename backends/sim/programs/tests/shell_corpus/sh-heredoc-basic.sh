cat <<E
hello
 world
E
cat <<E
E
cat <<END; echo after
a
END
cat <<"E"
quoted $x `cmd` \n
E
cat <<'E'
single $x
E
cat <<\E
backslash $x
E
