f() { local -; set -f; echo "$-"; }
f; echo "[$-]"
local x; echo no
