//! Input that is wrong, hostile or endless: a clear error that names the place, the rest of the run goes on, nothing
//! hangs, nothing panics, memory stays bounded.

#[path = "common/command.rs"]
mod command;

use std::fs;
use std::path::Path;

use command::provium;

/// A test that shows that the run went on.
const NEXT: &str = "\ntest(\"the next test\", function(t) t:assert(true) end)\n";

/// What runs with a booted guest `vm` must leave it usable.
fn with_guest(body: &str) -> String {
    format!(
        "local vm = provium:vm(\"v\", \"linux\"):boot()\n\
         test(\"the test\", {{ timeout = \"60s\" }}, function(t)\n{body}\nend)\n\
         test(\"the guest is still usable\", function(t) t:assert_eq(vm:run(\"echo alive\").stdout, \"alive\\n\") end)\n"
    )
}

/// Runs one file: its exit code, and what was said.
fn run(source: &[u8]) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    fs::write(directory.path().join("bad.test.lua"), source).expect("a file can be written");
    let output = provium(directory.path(), &["-v"]);
    assert!(!output.text.contains("panicked"), "it panicked:\n{}", output.text);
    (output.code, output.text)
}

fn passes(source: &str) {
    let (code, text) = run(source.as_bytes());
    assert_eq!(code, Some(0), "{text}");
}

fn ends(source: &[u8], code: i32, says: &[&str]) {
    let (ended, text) = run(source);
    assert_eq!(ended, Some(code), "{text}");
    for part in says {
        assert!(text.contains(part), "it does not say `{part}`:\n{text}");
    }
}

fn write(directory: &Path, name: &str, content: &[u8]) {
    fs::write(directory.join(name), content).expect("a file can be written");
}

#[test]
fn a_file_that_cannot_be_loaded_leaves_the_others_alone() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    write(directory.path(), "a_syntax.test.lua", b"test(\"x\", function(t)\n  t:assert(\nend)\n");
    write(directory.path(), "b_binary.test.lua", b"\x7fELF\0\xff\xfe");
    write(directory.path(), "c_bytecode.test.lua", b"\x1bLua\x54\0\x19\x93\r\n\x1a\n");
    write(directory.path(), "d_error.test.lua", b"error({})\n");
    write(directory.path(), "e_empty.test.lua", b"");
    write(directory.path(), "f_good.test.lua", b"test(\"good\", function(t) t:assert(true) end)\n");
    write(directory.path(), "g_bom.test.lua", b"\xef\xbb\xbftest(\"with a mark\", function() end)\n");
    let output = provium(directory.path(), &["-v"]);
    assert_eq!(output.code, Some(2), "{}", output.text);
    for part in ["a_syntax.test.lua:3", "b_binary.test.lua", "c_bytecode.test.lua", "d_error.test.lua", "2 passed"] {
        assert!(output.text.contains(part), "it does not say `{part}`:\n{}", output.text);
    }
}

#[test]
fn names_may_hold_anything_or_are_refused() {
    let (code, text) =
        run(b"test(\"'\\\" $(x) `y` \\u{202e}\", function(t) t:fail(\"\\27]0;title\\7\\27[31m\") end)\n");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        !text.contains("\u{1b}[31m") && !text.contains("\u{1b}]0"),
        "control characters reach the terminal: {text:?}"
    );
    ends(b"test(\"\\xff\\xfe\", function() end)\n", 2, &["bad.test.lua:1"]);
    ends(b"test(\"\", function() end)\n", 2, &["name"]);
    ends(b"test(\"a\\0\\27[31mb\", function() end)\n", 2, &["bad.test.lua:1", "control character `\\0`"]);
}

#[test]
fn lua_that_floods_the_log_is_bounded() {
    let source =
        "test(\"floods\", { timeout = \"1s\" }, function()\n  while true do print((\"x\"):rep(1000)) end\nend)";
    ends(format!("{source}{NEXT}").as_bytes(), 1, &["timed out", "1 passed"]);
}

#[test]
fn lua_that_fails_for_ever_is_bounded() {
    let source =
        "test(\"fails\", { timeout = \"1s\" }, function(t)\n  while true do pcall(t.fail, t, \"again\") end\nend)";
    ends(format!("{source}{NEXT}").as_bytes(), 1, &["again", "1 passed"]);
}

#[test]
fn tasks_without_end_are_refused() {
    let source = "test(\"spawns\", function(t)\n  while true do t:spawn(function() co.sleep(1000) end) end\nend)";
    ends(format!("{source}{NEXT}").as_bytes(), 1, &["tasks", "bad.test.lua:2", "1 passed"]);
}

#[test]
fn coroutines_within_coroutines_are_refused_at_some_depth() {
    let source = "test(\"nests\", function()\n\
        local function deeper() return coroutine.wrap(deeper)() end\n\
        deeper()\nend)";
    ends(format!("{source}{NEXT}").as_bytes(), 1, &["stack overflow", "1 passed"]);
}

#[test]
fn values_that_nest_for_ever_are_shown_and_compared() {
    let source = "test(\"shows\", function(t)\n\
        local deep = {}\n\
        for _ = 1, 200000 do deep = {deep} end\n\
        t:log(deep)\n\
        t:assert_raises(function() json.encode(deep) end)\n\
        t:assert_eq(deep, deep)\n\
        local wide = {}\n\
        for i = 1, 100000 do wide[i] = i end\n\
        t:log(wide)\n\
        error(deep)\nend)";
    ends(format!("{source}{NEXT}").as_bytes(), 1, &["1 failed", "1 passed"]);
}

#[test]
fn a_batch_without_end_is_refused() {
    let body = "vm:batch(function(b) while true do b:stat(\"/\") end end)";
    ends(with_guest(body).as_bytes(), 1, &["10000", "1 passed"]);
}

#[test]
fn a_shell_loop_without_end_is_timed_out() {
    passes(&with_guest(
        "t:assert_eq(vm:run(\"while :; do :; done\", {timeout = 5}).status, \"timed_out\")\n\
         t:assert_eq(vm:run(\"until false; do true; done\", {timeout = 5}).status, \"timed_out\")\n\
         t:assert_eq(vm:run(\"while sleep 0; do :; done\", {timeout = 5}).status, \"timed_out\")",
    ));
}

#[test]
fn a_fork_bomb_is_bounded_and_ends_with_its_timeout() {
    passes(&with_guest(
        "local r = vm:run(\"f() { f | f & }; f\", {timeout = 1})\n\
         t:assert_eq(r.status, \"timed_out\")\n\
         vm:run(\"f() { f & f & wait; }; f\", {timeout = 1})",
    ));
}

#[test]
fn a_fork_bomb_in_the_background_is_ended_with_its_test() {
    passes(
        "local vm = provium:vm(\"v\", \"linux\"):boot()\n\
         test(\"starts it\", function(t)\n  vm:run_async(\"f() { f | f & }; f\")\n  co.sleep(\"100ms\")\nend)\n\
         test(\"the guest is still usable\", function(t)\n\
         t:assert_eq(vm:run(\"echo alive\").stdout, \"alive\\n\")\nend)\n",
    );
}

#[test]
fn output_without_end_is_cut_and_timed_out() {
    passes(&with_guest(
        "for _, command in ipairs { \"yes\", \"cat /dev/zero\", \"while :; do echo x; done\", \"yes >&2\" } do\n\
         local r = vm:run(command, {timeout = 2, max_output = \"1M\"})\n\
         t:assert_eq(r.status, \"timed_out\")\n\
         t:assert(#r.stdout <= 1 << 20)\nend",
    ));
}

#[test]
fn a_stream_without_end_is_bounded() {
    passes(&with_guest(
        "local p = vm:run_async(\"yes\", {max_output = 100})\n\
         local out = p:stdout_stream()\n\
         t:assert_raises(function() out:read_until(\"no\") end)\n\
         co.sleep(2)\n\
         p:kill(\"KILL\")",
    ));
}

#[test]
fn deep_recursion_in_the_shell_ends_the_command_only() {
    passes(&with_guest(
        "for _, script in ipairs {\n\
           \"f() { f; }; f\",\n\
           \"f() { x=$(f); }; f\",\n\
           \"f() { ( f ); }; f\",\n\
           \"eval_me='eval \\\"$eval_me\\\"'; eval \\\"$eval_me\\\"\",\n\
           \"echo 'sh /tmp/again' > /tmp/again; sh /tmp/again\",\n\
           \"echo '. /tmp/dot' > /tmp/dot; . /tmp/dot\",\n\
         } do\n\
           local r = vm:run(script, {timeout = 5})\n\
           t:assert(not r:ok(), script)\n\
         end",
    ));
}

#[test]
fn scripts_that_nest_without_measure_are_refused_or_run() {
    passes(&with_guest(
        "for _, part in ipairs {\n\
           {\"(\", \")\"}, {\"{ \", \"; }\"}, {\"$(\", \")\"}, {\"`\", \"`\"}, {\"if true; then \", \"; fi\"},\n\
           {\"while false; do \", \"; done\"}, {\"! \", \"\"}, {\"echo $((\", \"))\"}, {\"case x in x) \", \";; esac\"},\n\
           {\"echo ${x:-\", \"}\"}, {\"true && \", \"\"}, {\"true | \", \"\"}, {\"f() { \", \"; }\"}, {\"echo \\\"$(\", \")\\\"\"},\n\
         } do\n\
           for _, depth in ipairs {100, 5000} do\n\
             local r = vm:run(part[1]:rep(depth) .. \"true\" .. part[2]:rep(depth), {timeout = 20})\n\
             t:log(part[1] .. \" \" .. depth .. \" \" .. tostring(r))\n\
           end\n\
         end\n\
         vm:run(\"echo $((\" .. (\"(\"):rep(20000) .. \"1\" .. (\")\"):rep(20000) .. \"))\", {timeout = 20})\n\
         vm:run(\"echo $((\" .. (\"-\"):rep(20000) .. \"1))\", {timeout = 20})\n\
         vm:run(\"echo $((\" .. (\"1?\"):rep(20000) .. \"1\" .. (\":1\"):rep(20000) .. \"))\", {timeout = 20})",
    ));
}

#[test]
fn expressions_that_nest_without_measure_are_refused_or_evaluated() {
    passes(&with_guest(
        "local deep = 20000\n\
         local function run(program, ...)\n\
           -- Through env, so that a program that the guest lacks is an exit code like others.\n\
           local r = vm:run(\"env\", {args = {program, ...}, stdin = \"aaaa\\n\", timeout = 20})\n\
           t:log(program .. \" \" .. tostring(r))\n\
         end\n\
         run(\"grep\", \"-E\", (\"(\"):rep(deep) .. \"a\" .. (\")\"):rep(deep))\n\
         run(\"grep\", \"-E\", (\"a*\"):rep(200) .. \"b\")\n\
         run(\"grep\", \"-E\", \"(a|aa)+b\")\n\
         run(\"grep\", (\"\\\\(\"):rep(deep) .. \"a\" .. (\"\\\\)\"):rep(deep))\n\
         run(\"sed\", (\"{\"):rep(deep) .. \"p\" .. (\"}\"):rep(deep))\n\
         run(\"test\", table.unpack({\"!\", \"!\", \"!\", \"!\", \"!\", \"!\", \"x\"}))\n\
         local parens = {}\n\
         for i = 1, deep do parens[i] = \"(\" end\n\
         parens[#parens + 1] = \"1\"\n\
         for _ = 1, deep do parens[#parens + 1] = \")\" end\n\
         local r = vm:run(\"expr\", {args = parens, timeout = 20})\n\
         local r = vm:run(\"test\", {args = parens, timeout = 20})\n\
         local r = vm:run(\"find\", {args = {\"/etc\", table.unpack({\"!\", \"!\", \"!\", \"-true\"})}, timeout = 20})\n\
         vm:run(\"awk '{ print \" .. (\"(\"):rep(deep) .. \"1\" .. (\")\"):rep(deep) .. \"}'\", {stdin = \"x\\n\", timeout = 20})\n\
         vm:run(\"case \" .. (\"a\"):rep(5000) .. \" in \" .. (\"*a\"):rep(50) .. \"b) echo no;; esac\", {timeout = 20}):assert_ok()",
    ));
}

#[test]
fn values_without_measure_in_the_shell_are_bounded() {
    passes(&with_guest(
        "for _, script in ipairs {\n\
           \"x=x; while :; do x=$x$x; done\",\n\
           \"x=$(yes)\",\n\
           \"x=$(cat /dev/zero)\",\n\
           \"yes | sort\",\n\
           \"cat /dev/zero | tr -d '\\\\n' | sed s/a/b/\",\n\
           \"printf '%1000000000000d' 1\",\n\
           \"printf '%0*d' 999999999 1 > /dev/null\",\n\
           \"dd if=/dev/zero of=/dev/null bs=1000G count=1\",\n\
           \"head -c 999999999999 /dev/zero > /tmp/big\",\n\
           \"while :; do i=$((i + 1)); eval \\\"v$i=$i\\\"; done\",\n\
           \"cat /dev/zero | tac\",\n\
           \"yes > /tmp/yes\",\n\
         } do\n\
           local r = vm:run(script, {timeout = 5, max_output = \"1M\"})\n\
           t:log(script .. \": \" .. tostring(r):sub(1, 200))\n\
         end",
    ));
}

#[test]
fn a_file_without_measure_is_not_read_into_memory() {
    passes(&with_guest(
        "vm:run(\"truncate -s 1T /tmp/big\"):assert_ok()\n\
         local e = t:assert_raises(function() vm:read_file(\"/tmp/big\") end)\n\
         t:assert_eq(e.kind, \"limit\")\n\
         local f = vm:open_file(\"/tmp/big\", {read = true})\n\
         t:assert_raises(function() f:read(1 << 40) end)\n\
         t:assert_raises(function() f:read_all() end)\n\
         t:assert_raises(function() vm:read_file(\"/dev/zero\") end)\n\
         t:assert_eq(#vm:run(\"cat /tmp/big\", {timeout = 1, max_output = 1000}).stdout, 1000)",
    ));
}

#[test]
fn files_without_number_fill_the_guest_and_not_the_host() {
    passes(&with_guest(
        "local r = vm:run(\"mkdir /tmp/d && cd /tmp/d && i=0; while : > $i; do i=$((i + 1)); done\", {timeout = 10})\n\
         t:assert(r.timed_out or r.exit_code ~= 0)\n\
         local r = vm:run(\"cd /tmp && while mkdir d; do cd d || exit 3; done\", {timeout = 10})\n\
         t:assert(r.timed_out or r.exit_code >= 0)",
    ));
}

#[test]
fn requests_without_measure_are_refused() {
    passes(&with_guest(
        "t:assert_raises(function() vm:run((\"x\"):rep(8 << 20)) end)\n\
         local args = {}\n\
         for i = 1, 100000 do args[i] = (\"x\"):rep(100) end\n\
         local e = t:assert_raises(function() vm:run(\"true\", args) end)\n\
         t:assert_eq(e.errname, \"E2BIG\")\n\
         t:assert_raises(function() vm:write_file(\"/tmp/\" .. (\"x\"):rep(100000), \"\") end)\n\
         t:assert_raises(function() vm:syscall(\"read\", {args = {0, 0, 1}, bufs = {(\"x\"):rep(100 << 20)}, ptrs = {1}}) end)",
    ));
}

#[test]
fn system_calls_may_be_given_anything() {
    passes(&with_guest(
        "local odd = {0, 1, -1, 3, 255, 4096, -4096, 1 << 31, -(1 << 31), 1 << 32, math.maxinteger, math.mininteger}\n\
         local n = 0\n\
         -- Not those that end or stop the agent itself, or wait for ever.\n\
         local skip = {exit = 60, exit_group = 231, pause = 34, rt_sigsuspend = 130, rt_sigtimedwait = 128, kill = 62,\n\
           tkill = 200, tgkill = 234, reboot = 169, vfork = 58, fork = 57, clone = 56, clone3 = 435, execve = 59,\n\
           execveat = 322, rt_sigreturn = 15, flock = 73, futex = 202, wait4 = 61, waitid = 247, poll = 7, ppoll = 271,\n\
           select = 23, pselect6 = 270, nanosleep = 35, clock_nanosleep = 230, read = 0, close = 3, close_range = 436,\n\
           dup2 = 33, dup3 = 292, accept = 43, accept4 = 288, recvfrom = 45, recvmsg = 47, semop = 65, msgrcv = 70,\n\
           epoll_wait = 232, epoll_pwait = 281, sigaltstack = 131, rt_sigqueueinfo = 129, pidfd_send_signal = 424}\n\
         local skipped = {}\n\
         for _, nr in pairs(skip) do skipped[nr] = true end\n\
         for nr = 0, 450 do\n\
           if not skipped[nr] then\n\
             local w = vm:spawn_worker()\n\
             for _, a in ipairs(odd) do\n\
               local done = t:spawn(function() return w:syscall(nr, a, a, a, a, a, a) end)\n\
               pcall(done.join, done, \"10ms\")\n\
               done:cancel()\n\
               n = n + 1\n\
             end\n\
             w:close()\n\
           end\n\
         end\n\
         t:log(n)",
    ));
}

#[test]
fn a_program_that_matches_without_end_is_ended() {
    passes(
        "provium.sim:program(\"spin\", function() ((\"x\"):rep(50)):find((\".-\"):rep(20) .. \"b\") end)\n\
         test(\"the program\", { timeout = \"60s\" }, function(t)\n\
         local vm = provium:vm(\"v\", \"linux\"):boot()\n\
         local r = vm:run(\"spin\", {timeout = 30})\n\
         t:assert_eq(r.exit_code, 1)\n\
         t:assert_contains(r.stderr, \"cannot be preempted\")\n\
         t:assert_eq(vm:run(\"echo alive\").stdout, \"alive\\n\")\nend)\n",
    );
}
