set -e; { echo a; } >/nosuchdir/x; echo b
