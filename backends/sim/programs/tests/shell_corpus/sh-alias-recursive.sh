alias echo='echo x'
echo y
alias a=b b=a
a; echo $?
