set -Z; echo no
