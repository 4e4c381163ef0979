set -a; x=1; set +a; y=2
env | grep '^[xy]='
