mkdir -p d/e; echo x > f; ln -s d/e l; ln -s nope dang
here=$(pwd -P)
r() { realpath "$@" 2>&1 | sed "s|$here|HERE|"; }
r f; r l; r l/..; r -s l/..; r nope; r nope/x; r -m nope/x; r -e nope; r dang; r .
r --relative-to=d f; r --relative-to=. d/e; r --relative-base=. f; r --relative-base=d f
r --relative-to=d d d/e f
realpath; echo $?
realpath -q nope/x; echo $?
r -L l/..; r -z f | tr '\0' '!'; echo
r ''
