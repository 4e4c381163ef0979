command . ./nosuch; echo $?
(. nosuchinpath; echo no); echo $?
