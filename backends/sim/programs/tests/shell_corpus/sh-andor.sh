true && echo a; false && echo b; false || echo c; true || echo d
true && false || echo e; false || false || echo f; true && true && echo g
false && echo h || echo i && echo j
true || echo k && echo l
! true && echo m; ! false && echo n; ! true || echo o
true &&
echo p ||
echo q
