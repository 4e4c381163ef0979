-- A guest whose processes multiply without end: it is slow, and it is not lost.
local chaos = require("chaos")

test("a fork bomb", chaos.real, function(t)
    local vm = provium:vm("bombed", "linux"):boot()
    -- Bounded, so that the guest's memory is enough for it: root is above `ulimit -u`.
    vm:run("mkdir /run/cgroup && mount -t cgroup2 none /run/cgroup && cd /run/cgroup && echo +pids > cgroup.subtree_control " ..
        "&& mkdir bomb && echo 40 > bomb/pids.max"):assert_ok()
    local bomb = vm:run_async("echo 0 > /run/cgroup/bomb/cgroup.procs; bomb() { bomb | bomb & }; bomb", {
        stdin_open = false,
        max_output = 1000,
    })
    -- Whoever is refused a process ends, and another takes its place.
    vm:run("until grep -q 'max [1-9]' /run/cgroup/bomb/pids.events; do sleep 0.1; done", { timeout = chaos.PATIENCE }):assert_ok()
    t:assert_eq(vm:run("echo here", { timeout = chaos.PATIENCE }):assert_ok().stdout, "here\n")
    chaos.works(t, vm)
    chaos.works(t, provium:vm("beside it", "linux"):boot())
    t:assert_contains(vm:read_file("/run/cgroup/bomb/cgroup.events"), "populated 1")

    vm:write_file("/run/cgroup/bomb/cgroup.kill", "1")
    bomb:wait(chaos.PATIENCE)
    wait_until(function()
        return vm:read_file("/run/cgroup/bomb/cgroup.events"):find("populated 0", 1, true)
    end, { timeout = chaos.PATIENCE })
    chaos.works(t, vm)
end)
