mkdir d; echo x > d/f
cp -r d d; echo $?
cp -r d d/sub; echo $?
find d | sort
