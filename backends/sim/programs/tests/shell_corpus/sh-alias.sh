alias hi='echo hello'
hi world
alias e='echo ' w='word'
e w w
alias ls='echo LS'; ls; \ls -d .; 'ls' -d .
unalias hi; hi; echo $?
alias hi; echo $?
alias e; alias q="it's"; alias q
unalias nosuch; echo $?
unalias -a; alias
alias if2='if true'
if2; then echo kw; fi
alias loop='for i in 1 2; do'
loop echo $i; done
