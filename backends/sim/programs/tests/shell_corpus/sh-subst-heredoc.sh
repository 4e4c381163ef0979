x=$(cat <<E
in $(echo nested)
E
)
echo "$x"
echo "$(cat <<'E'
raw ) $x `
E
)"
