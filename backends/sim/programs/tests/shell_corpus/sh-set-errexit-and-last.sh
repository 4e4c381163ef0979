set -e; true && false; echo here
