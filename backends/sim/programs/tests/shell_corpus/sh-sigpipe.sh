yes | head -1
(while :; do echo x; done) | head -2
echo ${?}
