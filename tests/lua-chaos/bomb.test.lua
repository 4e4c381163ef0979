-- A guest whose processes multiply without end: it is slow, and it is not lost.
local chaos = require("chaos")

test("a fork bomb", chaos.real, function(t)
    local vm = provium:vm("bombed", "linux"):boot()
    -- Bounded, so that the guest's memory is enough for it: root is above `ulimit -u`.
    vm:run("mkdir /run/cgroup && mount -t cgroup2 none /run/cgroup && cd /run/cgroup && echo +pids > cgroup.subtree_control " ..
        "&& mkdir bomb && echo 40 > bomb/pids.max"):assert_ok()
    -- Whoever is refused a process ends, so that a bomb may end by itself: then comes the next one.
    local bomb = vm:run_async([[
        while :; do sh -c 'echo 0 > /run/cgroup/bomb/cgroup.procs; bomb() { bomb | bomb & }; bomb'; done
    ]], { stdin_open = false, max_output = 1000 })
    vm:run("until grep -q 'max [1-9]' /run/cgroup/bomb/pids.events; do sleep 0.1; done", { timeout = chaos.PATIENCE }):assert_ok()
    t:assert_eq(vm:run("echo here", { timeout = chaos.PATIENCE }):assert_ok().stdout, "here\n")
    chaos.works(t, vm)
    chaos.works(t, provium:vm("beside it", "linux"):boot())
    local function populated() return vm:read_file("/run/cgroup/bomb/cgroup.events"):match("populated (%d)") end
    wait_until(function() return populated() == "1" end, { timeout = chaos.PATIENCE })

    -- Whoever is not in it yet, and then whoever is.
    bomb:kill("KILL", { group = true })
    vm:write_file("/run/cgroup/bomb/cgroup.kill", "1")
    wait_until(function() return populated() == "0" end, { timeout = chaos.PATIENCE })
    local ended = bomb:wait(chaos.PATIENCE)
    t:assert_eq(ended.signal_name, "SIGKILL")
    t:assert_eq(ended.timed_out, false)
    chaos.works(t, vm)
end)
