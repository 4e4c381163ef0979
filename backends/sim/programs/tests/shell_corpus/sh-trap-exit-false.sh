trap false EXIT
exit 2
