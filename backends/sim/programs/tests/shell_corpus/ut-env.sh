env -i A=1 B=2 | sort; env -i A=1 sh -c 'echo $A'; A=1 env -u A sh -c 'echo ${A-unset}'; env - X=y env; env A=1 A=2 sh -c 'echo $A'
env -i PATH=/nowhere ls; echo $?; env nosuchcommand; echo $?; env ./f; echo $?; touch f; env ./f; echo $?; env -z; echo $?; env -u; echo $?
env -C / pwd; env -C nope pwd; echo $?; env -C /; echo $?; env -0 -i A=1 B=2 | tr '\0' '!'; echo; env -0 ls; echo $?; env -u '' true; echo $?
A=b printenv A; printenv NOSUCH; echo $?; A=1 B=2 printenv A NOSUCH B; echo $?; A=1 printenv -0 A | tr '\0' '!'; echo; printenv -z; echo $?
export E='a b'; env | grep '^E='; env sh -c 'echo "$E"'; env -i; echo $?
