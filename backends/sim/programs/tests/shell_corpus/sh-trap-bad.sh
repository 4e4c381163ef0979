trap x NOSUCH; echo $?
trap x 999; echo $?
trap x SIGINT; echo $?
trap 2; echo $?
trap INT TERM; echo $?
