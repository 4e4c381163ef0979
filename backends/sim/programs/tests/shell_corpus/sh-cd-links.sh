mkdir -p real/sub; ln -s real link; top=$(pwd -P); cd $top
s() { x=$(pwd $1); echo "${x#$top}"; }
cd link; s; s -P
cd ..; s
cd -P link; s
cd ..; cd link/sub; cd -P ..; s
cd $top/link/sub/../..; s
