-- w:join, w:kill, w:close.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("join with nothing to join returns an empty summary", function(t)
    local w = vm:spawn_worker()
    t:assert_eq(w:join(), { count = 0, ok = 0, failed = 0, signalled = 0, worst = 0, children = {} })
end)

test("join waits for all and sums them up in order of start", function(t)
    local w = vm:spawn_worker()
    local slow = w:run_async("sleep 0.5; exit 3")
    local quick = w:run_async("exit 0")
    local killed = w:run_async("kill -KILL $$")
    local s = w:join(20)
    t:assert_eq(s.count, 3)
    t:assert_eq(s.ok, 1)
    t:assert_eq(s.failed, 1)
    t:assert_eq(s.signalled, 1)
    t:assert_eq(s.worst, 137)
    t:assert_eq(s.children, {
        { handle = slow:handle(), pid = slow:pid(), status = "exited", exit_code = 3 },
        { handle = quick:handle(), pid = quick:pid(), status = "exited", exit_code = 0 },
        { handle = killed:handle(), pid = killed:pid(), status = "signalled", exit_code = -1, signal = 9 },
    })
end)

test("worst is the largest exit code", function(t)
    local w = vm:spawn_worker()
    for _, code in ipairs { 1, 200, 7 } do w:run_async("exit " .. code) end
    local s = w:join(20)
    t:assert_eq(s.worst, 200)
    t:assert_eq(s.failed, 3)
    local good = vm:spawn_worker()
    good:run_async("true")
    t:assert_eq(good:join(20).worst, 0)
end)

test("join leaves the results for wait", function(t)
    local w = vm:spawn_worker()
    local p = w:run_async("echo kept; exit 5")
    t:assert_eq(w:join(20).count, 1)
    t:assert_eq(p:wait(10).stdout, "kept\n")
    t:assert_eq(p:wait(10).exit_code, 5)
end)

test("join after wait still counts the process", function(t)
    local w = vm:spawn_worker()
    w:run_async("exit 4"):wait(20)
    t:assert_eq(w:join().worst, 4)
    t:assert_eq(w:join().count, 1)
end)

test("a join that times out names who runs and kills nobody", function(t)
    local w = vm:spawn_worker()
    w:run_async("true"):wait(10)
    local one, two = w:run_async("sleep 61"), w:run_async("sleep 62")
    local e = support.raises(t, { kind = "timeout", op = "join", vm = "v" }, function() w:join("300ms") end)
    for _, text in ipairs { w:name(), "sleep 61", "sleep 62", tostring(one:pid()), tostring(two:pid()) } do
        t:assert_contains(e.message, text)
    end
    t:assert_eq(one:status(), "running")
    t:assert_eq(two:status(), "running")
end)

test("join looks at what was started while it waits", function(t)
    local w = vm:spawn_worker()
    w:run_async("sleep 0.5")
    local joining = t:spawn(function() return w:join(20) end)
    co.sleep("100ms")
    w:run_async("sleep 0.8; exit 6")
    local s = joining:join()
    t:assert_eq(s.count, 2)
    t:assert_eq(s.worst, 6)
end)

test("join does not care for other workers' processes", function(t)
    local one, two = vm:spawn_worker(), vm:spawn_worker()
    local p = one:run_async("exec sleep 60")
    vm:run_async("exec sleep 60")
    t:assert_eq(two:join(1).count, 0)
    t:assert_eq(p:status(), "running")
end)

test("kill reaches every process of the worker that runs", function(t)
    local w = vm:spawn_worker()
    local a, b, c = w:run_async("exec sleep 60"), w:run_async("exec sleep 60"), w:run_async("true")
    c:wait(10)
    t:assert_eq(w:kill(), 2)
    t:assert_eq(a:wait(10).signal_name, "SIGTERM")
    t:assert_eq(b:wait(10).signal_name, "SIGTERM")
    t:assert_eq(c:wait(10).exit_code, 0)
    t:assert_eq(w:kill(), 0)
end)

test("kill takes any signal", function(t)
    for _, signal in ipairs { "KILL", "sigkill", 9 } do
        local w = vm:spawn_worker()
        local p = w:run_async("exec sleep 60")
        t:assert_eq(w:kill(signal), 1)
        t:assert_eq(p:wait(10).signal_name, "SIGKILL")
    end
end)

test("kill of nobody is 0", function(t)
    t:assert_eq(vm:spawn_worker():kill("KILL"), 0)
end)

test("kill refuses what is no signal, by the type's name", function(t)
    local w = vm:spawn_worker()
    local p = w:run_async("exec sleep 60")
    support.raises(t, { kind = "usage", says = "expected integer or signal name, got table" }, function() w:kill({}) end)
    support.raises(t, { kind = "usage", says = "unknown signal name `NOPE`" }, function() w:kill("NOPE") end)
    support.raises(t, { kind = "usage" }, function() w:kill(0) end)
    t:assert_eq(p:status(), "running")
end)

test("kill leaves other workers alone", function(t)
    local one, two = vm:spawn_worker(), vm:spawn_worker()
    local mine, other, main = one:run_async("exec sleep 60"), two:run_async("sleep 60"), vm:run_async("sleep 60")
    t:assert_eq(one:kill("KILL"), 1)
    mine:wait(10)
    t:assert_eq(other:status(), "running")
    t:assert_eq(main:status(), "running")
end)

test("a signal that is ignored still counts as got", function(t)
    local w = vm:spawn_worker()
    local p = w:run_async("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    support.ready(p)
    t:assert_eq(w:kill("TERM"), 1)
    t:assert_eq(p:status(), "running")
end)

test("close ends what runs and joins", function(t)
    local w = vm:spawn_worker()
    local p, q = w:run_async("exec sleep 60"), w:run_async("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    support.ready(q)
    w:close()
    t:assert_eq(p:wait(10).signal_name, "SIGTERM")
    t:assert_eq(q:wait(10).signal_name, "SIGKILL")
    support.wait_gone(vm, q:pid())
end)

test("close ends a stopped process", function(t)
    local w = vm:spawn_worker()
    local p = w:run_async("exec sleep 60")
    p:kill("STOP")
    p:wait_state("stopped")
    w:close()
    t:assert_eq(p:status(), "signalled")
end)

test("close closes the worker's files", function(t)
    local w = vm:spawn_worker()
    local path = support.directory(vm, "join-files") .. "/lock"
    local its = w:open_file(path, { write = true, create = true })
    its:lock("exclusive")
    w:close()
    vm:open_file(path, { write = true }):lock("exclusive", { block = false })
end)

test("close ends a system call that waits", function(t)
    local w = vm:spawn_worker()
    local path = support.directory(vm, "join-syscall") .. "/fifo"
    vm:run("mkfifo " .. path):assert_ok()
    local f = vm:open_file(path, { read = true, write = true })
    local reading = t:spawn(function()
        return w:syscall("read", { args = { f:fd(), 0, 1 }, bufs = { "\0" }, ptrs = { 1 } })
    end)
    w:wait_blocked()
    w:close()
    support.raises(t, { kind = "state", says = "worker is closed" }, function() reading:join(10) end)
end)

test("closing twice is fine, operations after it raise", function(t)
    local w = vm:spawn_worker()
    w:close()
    w:close()
    for _, call in ipairs {
        function() w:run("true") end,
        function() w:run_async("true") end,
        function() w:open_file("/etc/passwd", { read = true }) end,
        function() w:syscall("getpid") end,
        function() w:kill() end,
        function() w:join() end,
        function() w:wait_blocked("1s") end,
    } do
        support.raises(t, { kind = "state", says = "worker is closed" }, call)
    end
    t:assert_eq(w:state(), "closed")
end)

test("a closed worker leaves its processes' results", function(t)
    local w = vm:spawn_worker()
    local p = w:run_async("echo before; exit 2")
    wait_until(function() return p:status() == "exited" end)
    w:close()
    t:assert_eq(p:wait(10).stdout, "before\n")
    t:assert_eq(p:kill(), false)
end)

test("close leaves the other workers alone", function(t)
    local one, two = vm:spawn_worker(), vm:spawn_worker()
    local p = two:run_async("sleep 0.3; echo fine")
    one:close()
    t:assert_eq(p:wait(20).stdout, "fine\n")
    t:assert_eq(two:run("echo too").stdout, "too\n")
end)
