trap 'exit 7' 0
exit 3
