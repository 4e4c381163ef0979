# Needs root.
which sh > /dev/null; echo $?; which nosuchcommand; echo $?; mkdir b; printf '#!/bin/sh\n' > b/prog; PATH=b:$PATH which prog; echo $?; chmod +x b/prog; PATH=b:$PATH which prog; which ./b/prog; which b/nope; echo $?; which; echo $?; which -z; echo $?; mkdir c; cp b/prog c; PATH=b:c:$PATH which -a prog
hostname | grep -q . && echo named; hostname -s | grep -q '[.]' || echo short
df . | head -n 1 | tr -s ' '; df -h . | head -n 1 | tr -s ' '; df -P . | head -n 1 | tr -s ' '; df -i . | head -n 1 | tr -s ' '; df -T . | head -n 1 | tr -s ' '; df nope; echo $?; df . nope | wc -l
umount nope; echo $?; mount | grep -q ' on / ' && echo root; free | head -n 1; free -h | wc -l; /sbin/sysctl -n kernel.ostype; /sbin/sysctl kernel.ostype; /sbin/sysctl nosuch.key; echo $?; /sbin/sysctl -e nosuch.key; echo $?
