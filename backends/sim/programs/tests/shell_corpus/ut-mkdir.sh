umask 022
mkdir a; mkdir a; echo $?
mkdir b/c; echo $?
mkdir -p b/c/d; find b
mkdir -p b/c; echo $?
mkdir -v e; mkdir -pv f/g/h
mkdir -m 700 m; stat -c %a m
mkdir -m u=rwx,go= n; stat -c %a n
mkdir -p -m 711 o/p; stat -c %a o o/p
mkdir -m bad q; echo $?
touch file; mkdir -p file; echo $?; mkdir -p file/x; echo $?
mkdir; echo $?
mkdir ''; echo $?
umask 077; mkdir -p r/s; stat -c %a r r/s
mkdir x y z; ls -d x y z
mkdir -p ./t/../t/u/; ls t
