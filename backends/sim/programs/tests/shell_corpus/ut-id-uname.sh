# Needs root.
id -u; id -un; id -g; id -gn; id -u root; id -un root; id -u nosuchuser; echo $?; id -un 0; id -ug; echo $?; id -n; echo $?; id -z; echo $?; id -u daemon; id -gn nobody > /dev/null; whoami; whoami x; echo $?; id --bad; echo $?
groups root; groups nosuchuser; echo $?
uname; uname -s; uname -m; uname -o; uname x; echo $?; uname -z; echo $?; uname -sm; nproc --ignore=1000; nproc x; echo $?; nproc --ignore=x; echo $?; test $(nproc) -ge 1 && echo some
