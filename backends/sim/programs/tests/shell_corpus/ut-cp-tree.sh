mkdir -p s/t/u s/empty
echo 1 > s/f; echo 2 > s/t/g; echo 3 > s/t/u/h
ln -s f s/l; ln -s nowhere s/dangling
mkfifo s/p
cp -r s d
find d | sort
readlink d/l; readlink d/dangling
cat d/t/u/h
cp -r s d; find d/s -type f | sort
cp -rT s d2; find d2 -type d | sort
cp -r s/. d3; echo $?
mkdir d3; cp -r s/. d3; find d3 | sort
