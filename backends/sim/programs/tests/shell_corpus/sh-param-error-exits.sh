echo before
echo ${x?gone}
echo after
