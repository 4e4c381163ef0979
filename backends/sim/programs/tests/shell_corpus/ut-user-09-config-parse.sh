# Reads an INI file into variables.
cat >my.ini <<'EOF'
# comment
[core]
name = "The Name"
path=/a/b c
empty =

[net]
  port = 80   ; trailing
hosts = a, b ,c
EOF
section=
while IFS= read -r line || [ -n "$line" ]; do
  line=${line%%[#;]*}
  line=$(printf '%s\n' "$line" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
  case $line in
    '') continue ;;
    \[*\]) section=${line#\[}; section=${section%\]} ;;
    *=*) key=${line%%=*}; value=${line#*=}
      key=$(echo "$key" | tr -d '[:space:]'); value=${value# }
      value=${value#\"}; value=${value%\"}
      eval "cfg_${section}_$key=\$value" ;;
    *) echo "bad line: $line" ;;
  esac
done <my.ini
set | grep '^cfg_' | sort
echo "$cfg_core_name|$cfg_core_empty|$cfg_net_port"
IFS=,; for h in $cfg_net_hosts; do IFS=' '; set -- $h; echo "host <$1>"; IFS=,; done; unset IFS
printf 'last=line without newline' >>my.ini; tail -n 1 my.ini | { read -r l; echo "status $? <$l>"; }
