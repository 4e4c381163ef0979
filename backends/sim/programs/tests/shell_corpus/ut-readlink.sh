echo x > f; ln -s f a; ln -s a b; mkdir d; ln -s ../f d/up; ln -s loop loop; ln -s nope dang
readlink a b d/up
readlink f; echo $?
readlink -v f; echo $?
readlink nope; echo $?
readlink -n a; echo
readlink -z a b | tr '\0' ,; echo
here=$(pwd -P)
for x in b d/up d/../b ./f nope dang loop nope/x d/. d/ f/; do
  for o in -f -e -m; do printf '%s %s ' $o $x; readlink $o $x | sed "s|$here|HERE|"; echo; done
done
readlink; echo $?
