# The last command of -c is a child of the shell, which does not become it.
sh -c 'ps -o comm= --ppid $$'
sh -c 'true; ps -o comm= --ppid $$'
sh -c 'if true; then ps -o comm= --ppid $$; fi'
sh -c 'eval "ps -o comm= --ppid \$\$"'
sh -c '(ps -o comm= --ppid $$)'
sh -c 'exec ps -o comm= --ppid $$'
echo "$?"
