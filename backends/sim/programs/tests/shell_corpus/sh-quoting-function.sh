q() { r=; t=$1; while :; do case $t in *\'*) r="$r${t%%\'*}'\\''"; t=${t#*\'};; *) break;; esac; done; printf '%s\n' "'$r$t'"; }
s=$(q "it's a \"test\" \$x \`y\`")
echo "$s"
eval "r=$s"; echo "$r"
