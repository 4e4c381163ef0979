set -e; trap 'echo exit $?' EXIT; echo a; (exit 3); echo b
