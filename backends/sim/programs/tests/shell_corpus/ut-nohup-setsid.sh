nohup echo hi; echo $?; nohup nosuchcommand; echo $?; nohup; echo $?; touch f; nohup ./f; echo $?; nohup -z; echo $?; nohup sh -c 'kill -HUP $$; echo alive'
setsid echo new; echo $?; setsid -w sh -c 'exit 4'; echo $?; setsid nosuchcommand; echo $?; setsid; echo $?; setsid -z; echo $?; setsid -w sh -c 'test "$(ps -o sid= -p $$ | tr -d " ")" = $$ && echo leader'
nice echo x; nice -n 0 echo y; nice -n x true; echo $?; nice nosuchcommand; echo $?; nice -z; echo $?
