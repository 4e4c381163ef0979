-- Commands and processes of a guest that has only qemu-guest-agent.

local vm = provium:vm("stock", "stock"):boot()

test("a command's result is all there", function(t)
    local result = vm:run("echo out; echo err >&2; exit 3")
    t:assert_eq({ result.exit_code, result.stdout, result.stderr }, { 3, "out\n", "err\n" })
    t:assert_eq(vm:run("kill -SEGV $$").signal_name, "SIGSEGV")
    t:assert_eq(vm:run("printf", { "%s|", "a b", "", "ü" }).stdout, "a b||ü|")
    t:assert_eq(vm:run("cat", { stdin = "a\0b" }).stdout, "a\0b")
    t:assert_eq(vm:run("uname -n").stdout, "stock\n")
end)

test("a command gets its environment and its directory", function(t)
    t:assert_eq(vm:run("echo $A $USER", { env = { A = "1" } }).stdout, "1 root\n")
    t:assert_eq(vm:run("/usr/bin/env", { args = {}, env = { A = "1" }, env_clear = true }).stdout, "A=1\n")
    t:assert_eq(vm:run("/usr/bin/env", { args = {}, env_clear = true }).stdout, "")
    t:assert_eq(vm:run("pwd", { cwd = "/etc" }).stdout, "/etc\n")
    t:assert_eq(vm:run("readlink", { args = { "/proc/self/cwd" }, cwd = "usr/bin" }).stdout, "/usr/bin\n")
end)

test("what cannot be started is an error with its number", function(t)
    local function errname(program, options)
        options.args = {}
        local ran = t:assert_raises(function() vm:run(program, options) end)
        local started = t:assert_raises(function() vm:run_async(program, options) end)
        t:assert_eq({ ran.kind, started.kind, started.errname }, { "os", "os", ran.errname })
        return ran.errname
    end
    t:assert_eq(errname("nowhere", {}), "ENOENT")
    t:assert_eq(errname("/etc/passwd", {}), "EACCES")
    t:assert_eq(errname("true", { cwd = "/nowhere" }), "ENOENT")
    t:assert_eq(errname("true", { cwd = "/etc/passwd" }), "ENOTDIR")
    -- A program that says the same of another one has been started.
    t:assert_eq(vm:run("setsid nowhere").exit_code, 127)
    t:assert_eq(vm:run("setsid nowhere", { max_output = 4 }).stderr, "sets")
end)

test("output is kept up to its limit", function(t)
    local result = vm:run("head -c 5000 /dev/zero", { max_output = "1K" })
    t:assert_eq({ #result.stdout, result.truncated }, { 1024, true })
end)

test("a timeout ends the whole group, and keeps what it wrote", function(t)
    local result = vm:run("echo before; sleep 1001 & sleep 1001", { timeout = "3s" })
    t:assert_eq({ result.status, result.stdout }, { "timed_out", "before\n" })
    t:assert_eq(vm:run("pgrep -f 'sleep 100[1]'").stdout, "")
end)

test("a command that outlives its shell holds nothing up for ever", function(t)
    local result = vm:run("setsid sleep 1002 & echo $!", { timeout = "1s" })
    -- Its output is held by who left the group: QGA keeps it back.
    t:assert_eq({ result.status, result.stdout, result.truncated }, { "timed_out", "", true })
    vm:run("pkill -f 'sleep 100[2]'"):assert_ok()
end)

test("processes run side by side, and are waited for, asked and killed", function(t)
    local process = vm:run_async("exec sleep 1003")
    t:assert_eq(process:status(), "running")
    t:assert_eq(vm:run("echo at once").stdout, "at once\n")
    t:assert_eq(process:wait_state("sleeping"), "sleeping")
    t:assert_eq(vm:read_file("/proc/" .. process:pid() .. "/comm"), "sleep\n")
    t:assert_eq(process:wait { timeout = "100ms", kill = false }, nil)
    t:assert_eq(process:kill("TERM"), true)
    t:assert_eq(process:wait("30s").signal_name, "SIGTERM")
    t:assert_eq({ process:status(), process:state() }, { "signalled", "gone" })
    t:assert_eq(process:kill(), false)

    local stubborn = vm:run_async("trap '' TERM; while :; do sleep 1; done")
    stubborn:close()
    t:assert_eq(stubborn:status(), "signalled")

    local late = vm:run_async("echo started; exec sleep 1004")
    t:assert_eq({ late:wait("3s").status, late:wait().stdout }, { "timed_out", "started\n" })
end)

test("tasks of a test overlap", function(t)
    local function command(name)
        return t:spawn(function()
            -- Each waits for the other.
            vm:run(("touch /tmp/%s; until [ -e /tmp/a ] && [ -e /tmp/b ]; do sleep 0.01; done"):format(name),
                { timeout = "60s" }):assert_ok()
        end)
    end
    local a, b = command("a"), command("b")
    a:join()
    b:join()
end)

test("what qemu-guest-agent cannot do is refused by name", function(t)
    local process = vm:run_async("true")
    for name, call in pairs {
        stat = function() vm:stat("/") end,
        listdir = function() vm:listdir("/") end,
        spawn_worker = function() vm:spawn_worker() end,
        syscall = function() vm:syscall("getpid") end,
        stdin_write = function() process:stdin_write("x") end,
        stdout_stream = function() process:stdout_stream() end,
    } do
        local e = t:assert_raises(call)
        t:assert_eq(e.kind, "unsupported")
        t:assert_contains(e.message, "qemu-guest-agent cannot do `" .. name .. "`: ")
    end
    t:assert_eq(t:assert_raises(function() vm:run("echo", { "\xff" }) end).kind, "unsupported")
end)

test("an agent that was started anew answers again", function(t)
    local process = vm:run_async("exec sleep 1005")
    local e = t:assert_raises(function() vm:run("kill -9 $(pidof qemu-ga); sleep 1") end)
    t:assert_eq(e.kind, "agent")
    t:assert_eq(vm:run("echo again").stdout, "again\n")
    t:assert_contains(t:assert_raises(function() process:wait() end).message, "started anew")
    vm:run("pkill -f 'sleep 100[5]'"):assert_ok()
end)
