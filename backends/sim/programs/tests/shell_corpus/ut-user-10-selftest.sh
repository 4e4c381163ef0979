# A test harness in the style of kselftest: TAP output, a summary, an exit code.
count=0; fails=0; skips=0
ok() { count=$((count + 1)); echo "ok $count $*"; }
not_ok() { count=$((count + 1)); fails=$((fails + 1)); echo "not ok $count $*"; }
skip() { count=$((count + 1)); skips=$((skips + 1)); echo "ok $count # SKIP $*"; }
check() { desc=$1; shift; if "$@" >out 2>err; then ok "$desc"; else not_ok "$desc ($?)"; sed 's/^/# /' err; fi; }
expect_fail() { desc=$1; shift; if "$@" >/dev/null 2>&1; then not_ok "$desc"; else ok "$desc"; fi; }
echo "TAP version 13"
check "mkdir" mkdir d
expect_fail "mkdir twice" mkdir d
check "cat missing" cat missing
check "sparse" sh -c 'truncate -s 1M s && [ "$(stat -c %s s)" = 1048576 ] && [ "$(stat -c %b s)" -lt 100 ]'
check "hard links" sh -c 'echo x >a; ln a b; [ $(stat -c %h a) = 2 ] && cmp a b'
check "rename over" sh -c 'echo 1 >r1; echo 2 >r2; mv r1 r2; [ "$(cat r2)" = 1 ] && ! [ -e r1 ]'
expect_fail "rmdir of a full directory" sh -c 'touch d/f; rmdir d'
check "unlinked file still readable" sh -c 'echo keep >u; exec 3<u; rm u; read x <&3; [ "$x" = keep ]'
check "O_APPEND" sh -c 'for i in 1 2 3 4 5; do (echo $i >>app) & done; wait; [ $(wc -l <app) -eq 5 ]'
check "dd skip and seek" sh -c 'printf 0123456789 >dd.in; dd if=dd.in of=dd.out bs=2 skip=1 seek=2 count=2 status=none; od -An -c dd.out | tr -d " \n" | grep -qF "\0\0\0\02345"'
[ -e /nonexistent ] || skip "no such feature"
check "signal" sh -c 'sleep 5 & kill -TERM $!; wait $!; [ $? -eq 143 ]'
check "umask" sh -c 'umask 027; touch m; mkdir md; [ "$(stat -c %a m md | tr "\n" " ")" = "640 750 " ]'
check "exit code" sh -c 'exit 42'
echo "1..$count"; echo "# pass:$((count - fails - skips)) fail:$fails skip:$skips"
[ $fails -eq 2 ]
