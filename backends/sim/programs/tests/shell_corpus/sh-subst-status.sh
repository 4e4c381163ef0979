x=$(exit 3); echo $?
x=$(false) y=$(true); echo $?
echo $(exit 5) $?
$(exit 6); echo $?
x=1; echo $?
x=$(exit 4)$(exit 0); echo $?
(x=$(exit 7)); echo $?
