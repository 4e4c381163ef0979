for c in cat cp mv rm ln ls mkdir rmdir mkfifo touch chmod chown stat readlink realpath basename dirname mktemp dd truncate tee sync df date env printenv id whoami uname nproc nohup timeout sleep yes expr find xargs; do
  $c --help > out 2> err; echo "$c $? $(head -n 1 out | cut -d' ' -f1) $(wc -c < err)"; done 2>&1
for c in cat cp mv rm ln ls mkdir touch chmod stat mktemp dd tee date env id uname timeout sleep; do $c --version > out; echo "$c $? $(head -n 1 out | cut -d' ' -f1)"; done
