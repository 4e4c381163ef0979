-- VM: its life, its states, its boot options.
local support = require("support")

test("a VM goes from created to booted to shutdown", function(t)
    local vm = provium:vm("v", "linux")
    t:assert_eq(vm:state(), "created")
    t:assert_eq(vm:boot(), vm)
    t:assert_eq(vm:state(), "booted")
    vm:shutdown()
    t:assert_eq(vm:state(), "shutdown")
end)

test("a VM knows its name and profile", function(t)
    local vm = provium:vm("some name", "linux")
    t:assert_eq(vm:name(), "some name")
    t:assert_eq(vm:profile(), "linux")
    t:assert_contains(tostring(vm), "some name")
end)

test("an operation in the wrong state names VM, state and operation", function(t)
    local vm = provium:vm("early", "linux")
    for op, call in pairs {
        run = function() vm:run("true") end,
        run_async = function() vm:run_async("true") end,
        read_file = function() vm:read_file("/etc/passwd") end,
        spawn_worker = function() vm:spawn_worker() end,
        syscall = function() vm:syscall("getpid") end,
        pause = function() vm:pause() end,
        batch = function() vm:batch(function() end) end,
    } do
        support.raises(t, { kind = "state", vm = "early", op = op, says = { "early", "created", op } }, call)
    end
    vm:boot()
    vm:shutdown()
    support.raises(t, { kind = "state", op = "run", says = { "early", "shutdown", "run" } }, function() vm:run("true") end)
end)

test("booting twice is refused", function(t)
    local vm = provium:vm("v", "linux"):boot()
    support.raises(t, { kind = "state", op = "boot", says = { "v", "booted" } }, function() vm:boot() end)
    t:assert(vm:run("true"):ok())
end)

test("shutdown is idempotent", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:shutdown()
    vm:shutdown()
    t:assert_eq(vm:state(), "shutdown")
end)

test("a VM that was shut down boots afresh", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/before", "x")
    vm:shutdown()
    vm:boot()
    t:assert_eq(vm:run("echo again").stdout, "again\n")
    t:assert_raises(function() vm:read_file("/tmp/before") end)
end)

test("shutdown ends what runs", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local p = vm:run_async("exec sleep 60")
    local out = p:stdout_stream()
    vm:shutdown()
    local e = t:assert_raises(function() p:wait(1) end)
    t:assert(e.kind == "state" or e.kind == "lost", tostring(e))
    t:assert_raises(function() p:kill() end)
    t:assert_raises(function() out:expect("x", 1) end)
end)

test("shutdown ends an operation that waits", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local task = t:spawn(function() vm:run("sleep 60") end)
    co.sleep("100ms")
    vm:shutdown()
    local e = t:assert_raises(function() task:join(10) end)
    t:assert(e.kind == "state" or e.kind == "lost", tostring(e))
end)

test("a paused guest does nothing until it is resumed", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local p = vm:run_async("for i in 1 2 3; do sleep 0.2; done; echo done")
    vm:pause()
    t:assert_eq(vm:state(), "paused")
    support.raises(t, { kind = "state", op = "run", says = { "paused", "run" } }, function() vm:run("true") end)
    co.sleep("1s")
    vm:resume()
    t:assert_eq(vm:state(), "booted")
    t:assert_eq(p:wait(20).stdout, "done\n")
    support.raises(t, { kind = "state", op = "resume" }, function() vm:resume() end)
end)

test("reset starts the guest anew", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local p = vm:run_async("exec sleep 60")
    vm:write_file("/tmp/before", "x")
    vm:reset()
    t:assert_eq(vm:state(), "booted")
    t:assert_eq(vm:run("echo again").stdout, "again\n")
    t:assert_raises(function() p:wait(1) end)
end)

test("the power button shuts the guest down", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:power_button()
    t:assert_eq(vm:state(), "shutdown")
end)

test("a closed VM stays closed", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:close()
    t:assert_eq(vm:state(), "shutdown")
    vm:close()
    t:assert_raises(function() vm:run("true") end)
end)

test("files are put into the guest before it starts", function(t)
    local vm = provium:vm("v", "linux", {
        files = {
            { path = "/etc/motd", content = "welcome\n" },
            { path = "/opt/deep/down/script", content = "#!/bin/sh\necho ran\n", mode = 493 },
        },
    }):boot()
    t:assert_eq(vm:read_file("/etc/motd"), "welcome\n")
    t:assert_eq(vm:stat("/etc/motd").perm, 420)
    t:assert_eq(vm:run("/opt/deep/down/script").stdout, "ran\n")
end)

test("boot takes the same options", function(t)
    local vm = provium:vm("v", "linux"):boot({ files = { { path = "/tmp/f", content = "x" } } })
    t:assert_eq(vm:read_file("/tmp/f"), "x")
end)

test("the guest's clock starts where it is told", function(t)
    local vm = provium:vm("v", "linux", { initial_time = 1000000000 }):boot()
    local now = tonumber(vm:run("date +%s").stdout)
    t:assert(now >= 1000000000 and now < 1000000100, tostring(now))
end)

test("the number of CPUs is what was asked for", function(t)
    local vm = provium:vm("v", "linux", { cpus = 3 }):boot()
    t:assert_eq(vm:run("nproc").stdout, "3\n")
end)

test("boot options are strict", function(t)
    support.raises(t, { kind = "usage", says = { "memroy", "memory", "cpus", "files" } }, function()
        provium:vm("v", "linux", { memroy = "1G" })
    end)
    support.raises(t, { kind = "usage", says = "memory" }, function() provium:vm("v", "linux", { memory = "lots" }) end)
    support.raises(t, { kind = "usage", says = "cpus" }, function() provium:vm("v", "linux", { cpus = 0 }) end)
    support.raises(t, { kind = "usage", says = "boot_timeout" }, function()
        provium:vm("v", "linux", { boot_timeout = "soon" })
    end)
    support.raises(t, { kind = "usage", says = "files" }, function()
        provium:vm("v", "linux", { files = { { content = "no path" } } })
    end)
    t:assert_eq(provium.v, nil)
end)

test("a guest with nothing open is quiescent", function(t)
    local vm = provium:vm("v", "linux"):boot()
    t:assert_eq(vm:is_quiescent(), true)
    local f = vm:open_file("/etc/passwd", { read = true })
    t:assert_eq(vm:is_quiescent(), false)
    t:assert_eq(vm:open_file_count(), 1)
    f:close()
    t:assert_eq(vm:is_quiescent(), true)
end)

test("a VM has no method that it does not have", function(t)
    local vm = provium:vm("v", "linux")
    local e = t:assert_raises(function() vm:rnu("true") end)
    t:assert_contains(tostring(e), "rnu")
end)
