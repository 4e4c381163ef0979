# Clean up on every way out.
try() {
  echo "== $1"
  sh -c '
    tmp=$(mktemp -d ./work.XXXXXX) || exit 99
    cleanup() { status=$?; trap - EXIT; rm -rf "$tmp"; echo "cleanup $status"; exit $status; }
    trap cleanup EXIT
    trap "echo int; exit 130" INT
    trap "echo term; exit 143" TERM
    echo data >"$tmp/file"
    '"$2"'
    echo end'
  echo "status $?; left: $(ls -d work.* 2>/dev/null | wc -l)"
}
try normal ':'
try exit 'exit 4'
try errexit 'set -e; false; echo not here'
try unset 'set -u; echo "$nosuch"' 2>/dev/null
try term 'kill -TERM $$'
try int 'kill -INT $$'
try child 'sh -c "exit 5"; exit'
try subshell '( exit 6 ); (exit 7) && echo no; false || exit 8'
try syntax 'eval "if"' 2>/dev/null
try exec 'trap - EXIT; rm -rf "$tmp"; exec sh -c "exit 9"'
try nested 'trap "echo inner; cleanup" EXIT; (trap "echo sub" EXIT; exit 3); echo "got $?"'
try pipe 'printf "a\nb\n" | while read -r l; do [ "$l" = b ] && exit 3; done; echo "loop $?"'
