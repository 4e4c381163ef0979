set -e; eval 'echo a; false; echo b'; echo c
