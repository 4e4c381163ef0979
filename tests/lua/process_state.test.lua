-- What the guest's kernel says of processes: states, zombies, orphans.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("a process that waits is sleeping", function(t)
    local p = vm:run_async("exec sleep 60")
    t:assert_eq(p:wait_state("sleeping"), "sleeping")
    t:assert_eq(p:state(), "sleeping")
end)

test("a busy process is running", function(t)
    local p = vm:run_async("echo ready; while :; do :; done")
    support.ready(p)
    p:wait_state("running")
    p:kill("KILL")
    p:wait(10)
end)

test("a stopped process is stopped", function(t)
    local p = vm:run_async("exec sleep 60")
    p:kill("STOP")
    t:assert_eq(p:wait_state("stopped"), "stopped")
    p:kill("CONT")
    t:assert_eq(p:wait_state("sleeping"), "sleeping")
end)

test("a process that was waited for is gone", function(t)
    local p = vm:run_async("true")
    p:wait()
    t:assert_eq(p:state(), "gone")
    t:assert_eq(p:wait_state("gone"), "gone")
end)

test("wait_state waits for the end", function(t)
    local p = vm:run_async("sleep 0.3")
    p:wait_state("gone", 20)
    t:assert_eq(p:status(), "exited")
end)

test("wait_state of a process that will never be so says that at once", function(t)
    local p = vm:run_async("true")
    p:wait()
    t:assert_raises(function() p:wait_state("stopped", 1) end)
end)

test("wait_state times out and says what the state is", function(t)
    local p = vm:run_async("exec sleep 60")
    p:wait_state("sleeping")
    support.raises(t, { kind = "timeout", op = "wait_state", vm = "v", says = { "stopped", "sleeping" } }, function()
        p:wait_state("stopped", "200ms")
    end)
end)

test("an unknown state is refused and the states are listed", function(t)
    local p = vm:run_async("exec sleep 60")
    local all = { "asleep", "running", "sleeping", "stopped", "zombie", "gone" }
    support.raises(t, { kind = "usage", says = all }, function() p:wait_state("asleep") end)
end)

test("a child that nobody waits for is a zombie", function(t)
    local p = vm:run_async("sleep 0.3 & echo $!; exec sleep 60")
    local child = p:stdout_stream():read_until("\n"):match("%d+")
    wait_until(function() return support.proc_stat(vm, child, 3) == "Z" end, { desc = "a zombie" })
    t:assert_eq(support.proc_stat(vm, child, 4), tostring(p:pid()))
    p:kill("KILL")
    p:wait(10)
    support.wait_gone(vm, child)
end)

test("an orphan is taken in by process 1", function(t)
    local orphan = vm:run("sleep 30 >/dev/null 2>&1 & echo $!").stdout:match("%d+")
    wait_until(function() return support.proc_stat(vm, orphan, 4) == "1" end, { desc = "a new parent" })
    vm:run("kill -9 " .. orphan):assert_ok()
    support.wait_gone(vm, orphan)
end)

test("the shell waits for its children and learns their codes", function(t)
    t:assert_eq(vm:run("(exit 3) & wait $!; echo $?").stdout, "3\n")
    t:assert_eq(vm:run("sh -c 'kill -9 $$' & wait $!; echo $?").stdout, "137\n")
end)

test("a process sees itself in /proc", function(t)
    local p = vm:run_async("sleep", { "60" })
    t:assert_eq(vm:read_file("/proc/" .. p:pid() .. "/cmdline"), "sleep\00060\0")
    t:assert_eq(vm:read_file("/proc/" .. p:pid() .. "/comm"), "sleep\n")
end)

test("the working directory of a process can be read", function(t)
    local dir = support.directory(vm, "state-cwd")
    local p = vm:run_async("exec sleep 60", { cwd = dir })
    t:assert_eq(vm:readlink("/proc/" .. p:pid() .. "/cwd"), dir)
end)

test("threads of the agent that wait for work are not shown as running", function(t)
    local tasks = {}
    for i = 1, 4 do
        tasks[i] = t:spawn(function() vm:run("sleep 1") end)
    end
    for _, task in ipairs(tasks) do task:join() end
    -- Asked by a process: while the agent reads a file itself, it runs. A real kernel has threads of its own, which run now and
    -- then, and an agent that has just answered may not sleep yet: a look in which nobody else runs must come.
    for script, expected in pairs({
        ["cut -d ' ' -f 3 /proc/1/stat"] = "S\n",
        ["cat /proc/1/task/*/stat | grep -c ') R '"] = "0\n",
        ["grep procs_running /proc/stat"] = "procs_running 1\n",
    }) do
        local looks = 0
        wait_until(function()
            looks = looks + 1
            return vm:run(script).stdout == expected
        end, { desc = "`" .. script .. "` showing " .. expected })
        -- A simulated kernel has no such threads.
        t:assert(provium.backend ~= "sim" or looks == 1, script)
    end
end)
