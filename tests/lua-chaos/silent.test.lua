-- Guests that say nothing: those that never will again are lost, those that are paused or busy are not.
local chaos = require("chaos")

--- Puts process 1, which is the agent, into a cgroup that `FREEZE` stops for good.
local function freezer(vm)
    vm:run("mkdir /run/cgroup && mount -t cgroup2 none /run/cgroup && mkdir /run/cgroup/ice"):assert_ok()
    vm:write_file("/run/cgroup/ice/cgroup.procs", "1")
end
local FREEZE = "echo 1 > /run/cgroup/ice/cgroup.freeze"

test("who is silent for good is lost, who is paused or busy is not", chaos.real, function(t)
    local function in_parallel(fns)
        local tasks = {}
        for i, fn in ipairs(fns) do tasks[i] = t:spawn(fn) end
        for _, task in ipairs(tasks) do task:join() end
    end
    in_parallel({
        function()
            local vm = provium:vm("agent stopped", "linux", chaos.mortal_agent()):boot()
            chaos.lose(t, vm, { "unresponsive: its agent has answered nothing for 10 s, while the machine runs" }, function()
                vm:run("kill -STOP $(cat /run/agent)")
            end)
        end,
        function()
            local vm = provium:vm("process 1 stopped", "linux"):boot()
            -- The kernel keeps signals from process 1 that it has not asked for, so that no signal stops the agent ...
            vm:run("for signal in STOP TSTP TERM KILL SEGV; do kill -$signal 1; done"):assert_ok()
            chaos.works(t, vm)
            -- ... and a freezer does.
            freezer(vm)
            chaos.lose(t, vm, { "unresponsive: its agent has answered nothing for 10 s, while the machine runs" }, function()
                vm:run(FREEZE)
            end)
        end,
        function()
            local vm = provium:vm("frozen", "linux"):boot()
            freezer(vm)
            chaos.lose(t, vm, { "it did not switch itself off within 30 s of its power button being pressed; its power was cut" }, function()
                local freezing = t:spawn(function() return pcall(vm.run, vm, FREEZE) end)
                co.sleep("1s")
                local ok, e = pcall(vm.power_button, vm)
                t:assert_eq(freezing:join(chaos.PATIENCE), false)
                if not ok then error(e) end
            end)
        end,
        function()
            local vm = provium:vm("QEMU stopped", "linux"):boot()
            chaos.lose(t, vm, { "unresponsive: its agent has answered nothing for 10 s, and QEMU does not answer either" }, function()
                vm:run("on the host: stop QEMU")
            end)
        end,
        function()
            local vm = provium:vm("paused", "linux"):boot()
            local waits = t:spawn(function() return vm:run("sleep 1; echo here") end)
            co.sleep("500ms")
            vm:pause()
            co.sleep("13s")
            t:assert_eq(vm:state(), "paused")
            vm:resume()
            t:assert_eq(waits:join(chaos.PATIENCE):assert_ok().stdout, "here\n")
        end,
        function()
            local vm = provium:vm("busy", "linux"):boot()
            -- More than one processor can do, and all of it goes before the agent.
            local busy = vm:run_async("for i in 1 2 3 4; do nice -n -19 sh -c 'while :; do :; done' & done; wait")
            vm:run("sleep 13"):assert_ok()
            busy:kill("KILL", { group = true })
            chaos.works(t, vm)
        end,
    })
end)
