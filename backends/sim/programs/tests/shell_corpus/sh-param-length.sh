x=hello
echo ${#x} ${#y}
y=
echo ${#y} ${#x}${#x}
set -- a bb ccc
echo ${#} $# ${#1} ${#2} ${#3} ${##}
z='a b  c'
echo "${#z}" ${#z}
