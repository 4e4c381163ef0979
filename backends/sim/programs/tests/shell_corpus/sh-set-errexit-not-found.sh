set -e; nosuchcommand; echo no
