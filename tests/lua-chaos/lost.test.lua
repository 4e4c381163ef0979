-- Guests that are lost: by their own kernel, by the end of their agent, by what happens to QEMU.
local chaos = require("chaos")

test("a kernel that panics", chaos.real, function(t)
    local vm = provium:vm("panicked", "linux"):boot()
    local says = { "the guest's kernel panicked: sysrq triggered crash", "\nthe last lines of its console:\n", "sysrq_handle_crash" }
    chaos.lose(t, vm, says, function() vm:run("echo c > /proc/sysrq-trigger") end)
end)

test("a guest that switches itself off", chaos.real, function(t)
    local vm = provium:vm("off", "linux"):boot()
    chaos.lose(t, vm, { "the guest switched itself off" }, function() vm:run("poweroff -f") end)
end)

test("a guest that reboots", chaos.real, function(t)
    local vm = provium:vm("rebooted", "linux"):boot()
    chaos.lose(t, vm, { "the guest rebooted" }, function() vm:run("reboot -f") end)
end)

test("an agent that is killed", chaos.real, function(t)
    local vm = provium:vm("agent killed", "linux", chaos.mortal_agent()):boot()
    chaos.lose(t, vm, { "its agent has ended, while the machine runs" }, function()
        vm:run("kill -KILL $(cat /run/agent)")
    end)
end)

test("a QEMU that is killed", chaos.real, function(t)
    local vm = provium:vm("killed", "linux"):boot()
    chaos.lose(t, vm, { "QEMU was killed by signal 9" }, function() vm:run("on the host: kill QEMU") end)
end)

test("a QEMU whose monitor closes", chaos.real, function(t)
    local vm = provium:vm("closed", "linux"):boot()
    chaos.lose(t, vm, { "QEMU closed its monitor and could not be driven any more" }, function()
        vm:run("on the host: close the monitor")
    end)
end)

test("a stream is the first to notice", chaos.real, function(t)
    local vm = provium:vm("watched", "linux"):boot()
    local stream = vm:run_async("exec cat"):stdout_stream()
    vm:run("on the host: kill QEMU")
    chaos.check_lost(t, vm, t:assert_raises(function() stream:next(chaos.PATIENCE) end), { "QEMU was killed by signal 9" })
    t:assert_eq(vm:state(), "dead")
end)
