trap 'echo cleanup $?' EXIT
readonly r=1
r=2
