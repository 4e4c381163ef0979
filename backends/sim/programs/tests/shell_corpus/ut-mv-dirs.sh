mkdir -p a/x b/a/y c
mv a b; echo $?
ls b/a
mv a c; ls c
mv c c/a; echo $?
echo f > f
mv c f; echo $?
mv -T f c; echo $?
mkdir g; mv -T g c; echo $?
rmdir c/a/x c/a; mkdir g 2>/dev/null; mv -vT g c; ls
mv b/a b2; ls b2
