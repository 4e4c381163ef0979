kill -l 9; kill -l 143; kill -l 1
kill -0 $$; echo $?
kill -s FOO $$; echo $?
kill -FOO $$; echo $?
kill; echo $?
kill -9; echo $?
kill abc; echo $?
kill -l 200; echo $?
kill %1; echo $?
