mkdir -p a/b/c x y; touch y/f
rmdir x; echo $?
rmdir y; echo $?
rmdir nope; echo $?
rmdir -p a/b/c; echo $?; ls
mkdir -p a/b; touch a/f; rmdir -p a/b; echo $?; ls a
mkdir -p q/r; rmdir -pv q/r
rmdir --ignore-fail-on-non-empty y; echo $?
rmdir a/f; echo $?
rmdir; echo $?
mkdir z; rmdir -v z/
