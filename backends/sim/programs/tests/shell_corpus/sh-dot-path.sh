mkdir bin; echo 'echo found' >bin/lib; PATH=$PWD/bin:$PATH
. lib
