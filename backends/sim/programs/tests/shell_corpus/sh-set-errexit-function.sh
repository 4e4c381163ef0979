set -e; f() { echo a; false; echo b; }; f; echo c
