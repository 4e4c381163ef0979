trap 'echo got USR1' USR1
kill -USR1 $$; echo after
trap 'echo got 2' 2; kill -INT $$
trap '' TERM; kill $$; echo survived
trap - USR1 INT TERM
trap
