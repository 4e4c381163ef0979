echo "$-"; set -e; echo "$-"; set -fu; echo "$-"; set +e; echo "$-"; set -o nounset; set +u; echo "$-"
set +f -C; echo $-; set +o noclobber; echo "$-"
