trap 'echo status $?' EXIT
(exit 5)
exit 3
