-- What a test opened is closed at its end: streams, processes, files, workers, VMs, in that order; within
-- a kind the youngest first. Each pair of tests: the first leaves things open, the second looks.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()
local pids, kept = {}, {}

local function log_at_end(name, words)
    return "trap 'echo " .. words .. " >> /tmp/" .. name .. "; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
end

test("1a: leaves a process, a stream, a file and a worker open", function(t)
    local p = vm:run_async("exec sleep 1000")
    pids.process = p:pid()
    kept.process, kept.stream = p, p:stdout_stream()
    kept.file = vm:open_file("/etc/passwd", { read = true })
    kept.worker = vm:spawn_worker()
    pids.of_worker = kept.worker:run_async("exec sleep 1000"):pid()
    kept.worker_file = kept.worker:open_file("/etc/passwd", { read = true })
end)

test("1b: all of it is closed", function(t)
    support.wait_gone(vm, pids.process)
    support.wait_gone(vm, pids.of_worker)
    t:assert_eq(vm:open_file_count(), 0)
    t:assert_eq(vm:open_stream_count(), 0)
    t:assert_eq(vm:is_quiescent(), true)
    t:assert_eq(kept.worker:state(), "closed")
    t:assert_eq(kept.file:fd(), 0)
    support.raises(t, { kind = "state", says = "file is closed" }, function() kept.file:read(1) end)
    support.raises(t, { kind = "state", says = "file is closed" }, function() kept.worker_file:read(1) end)
    support.raises(t, { kind = "state", says = "closed" }, function() kept.stream:next() end)
    t:assert_eq(kept.process:kill(), false)
end)

test("2a: leaves three processes that write when they end", function(t)
    for _, name in ipairs { "first", "second", "third" } do
        support.ready(vm:run_async(log_at_end("scope-2", name)))
    end
end)

test("2b: the youngest ended first", function(t)
    t:assert_eq(vm:read_file("/tmp/scope-2"), "third\nsecond\nfirst\n")
end)

test("3a: leaves a lock held and a process that looks at it", function(t)
    vm:write_file("/tmp/scope-3-lock", "")
    vm:open_file("/tmp/scope-3-lock", { read = true }):lock("exclusive")
    local look = "flock -n /tmp/scope-3-lock true && echo free >> /tmp/scope-3 || echo held >> /tmp/scope-3"
    support.ready(vm:run_async("trap '" .. look .. "; exit 0' TERM; echo ready; while :; do sleep 0.1; done"))
end)

test("3b: processes were ended before files were closed", function(t)
    t:assert_eq(vm:read_file("/tmp/scope-3"), "held\n")
    vm:run("flock -n /tmp/scope-3-lock true"):assert_ok()
end)

test("4a: leaves a VM of its own", function(t)
    local own = provium:vm("own", "linux"):boot()
    kept.own = own
    own:run_async("exec sleep 1000")
    own:open_file("/etc/passwd", { read = true })
end)

test("4b: the VM is off and its name is free", function(t)
    t:assert_eq(kept.own:state(), "shutdown")
    t:assert_eq(provium.own, nil)
    provium:vm("own", "linux"):boot()
end)

test("5a: leaves a process that ignores SIGTERM", function(t)
    local p = vm:run_async("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    support.ready(p)
    pids.stubborn = p:pid()
end)

test("5b: it was killed", function(t)
    support.wait_gone(vm, pids.stubborn)
end)

test("6a: leaves a stopped process and its children", function(t)
    local p = vm:run_async("sleep 1000 & echo $!; wait")
    pids.child = p:stdout_stream():read_until("\n"):match("%d+")
    p:kill("STOP")
    p:wait_state("stopped")
    pids.stopped = p:pid()
end)

test("6b: both are gone", function(t)
    support.wait_gone(vm, pids.stopped)
    support.wait_gone(vm, pids.child)
end)

test("7a: leaves a sub-lab with a VM", function(t)
    local lab = provium:lab("inner")
    kept.inner = lab:vm("v", "linux"):boot()
end)

test("7b: the sub-lab's VM is off too", function(t)
    t:assert_eq(kept.inner:state(), "shutdown")
    t:assert_eq(provium:sub_lab_names(), {})
end)

test("8a: closes what it opened", function(t)
    local p = vm:run_async("echo x")
    local out = p:stdout_stream()
    local f = vm:open_file("/etc/passwd", { read = true })
    local w = vm:spawn_worker()
    out:close()
    p:wait()
    f:close()
    w:close()
end)

test("8b: closing again at the end did no harm", function(t)
    t:assert_eq(vm:is_quiescent(), true)
    t:assert(vm:run("true"):ok())
end)

-- Opened at the top level, in a guest of its own: these belong to the file and live as long as it.
local long = provium:vm("long", "linux"):boot()
local file_level = long:open_file("/etc/passwd", { read = true })
local file_process = long:run_async("exec sleep 1000")

test("9: what the file opened lives on from test to test", function(t)
    t:assert(file_level:fd() > 0)
    t:assert_eq(file_process:status(), "running")
    t:assert_eq(file_level:read(4), "root")
end)

test("9: and still", function(t)
    t:assert_eq(file_process:status(), "running")
    file_level:seek(0, "set")
    t:assert_eq(file_level:read(4), "root")
end)
