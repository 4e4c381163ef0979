(echo $((1+))); echo $?
(echo $((1 2))); echo $?
(echo $((x++))); echo $?
(echo $((2**3))); echo $?
(echo $((1,2))); echo $?
(echo $((08))); echo $?
(echo $((1?2))); echo $?
(x=abc; echo $((x))); echo $?
(echo $(( ))); echo $?
(echo $((1.5))); echo $?
(echo $(('1'))); echo $?
