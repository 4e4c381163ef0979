touch -d '10 days ago' old; touch -d '3 hours ago' mid; touch new; touch -d '1 hour' future; mkdir d; touch -d '2 minutes ago' d
f() { find . -mindepth 1 "$@" 2>&1 | sort; }
f -mtime +5; f -mtime -1; f -mtime 10; f -mtime 0; f -mmin -60; f -mmin +60; f -newer mid; f ! -newer mid
f -newermt '1 day ago'; f -newermt 2000-01-01 ! -newermt '5 days ago'
touch -a -d '7 days ago' new; f -atime +3; f -anewer old | wc -l; f -neweraa new | wc -l
f -newer nope; f -mtime x; f -newermt garbage
