-- What is larger than the guest's memory is refused, and the guest lives on.
local chaos = require("chaos")

test("what does not fit into the guest's memory", chaos.real, function(t)
    local vm = provium:vm("small", "linux"):boot()
    local function refused(fn)
        local e = t:assert_raises(fn)
        t:assert_eq(e.errname, "ENOMEM", tostring(e))
        chaos.works(t, vm)
    end

    -- More than it can take in; meanwhile others are answered.
    local large = ("x"):rep(120 << 20)
    local other = t:spawn(function() return vm:run("echo here").stdout end)
    refused(function() vm:write_file("/tmp/large", large) end)
    t:assert_eq(other:join(chaos.PATIENCE), "here\n")
    large = nil

    -- What does fit.
    local fits = ("y"):rep(64 << 20)
    t:assert_eq(vm:write_file("/tmp/fits", fits), #fits)
    t:assert_eq(vm:stat("/tmp/fits").size, #fits)

    t:assert(vm:read_file("/tmp/fits") == fits)
    vm:unlink("/tmp/fits")

    -- A file whose bytes do not fit once more is sent while it is read; one read of it is one piece of memory.
    local size = 90 << 20
    vm:run("head -c " .. size .. " /dev/zero > /tmp/larger"):assert_ok()
    t:assert_eq(#vm:read_file("/tmp/larger"), size)
    local file = vm:open_file("/tmp/larger", { read = true })
    refused(function() file:read(size) end)
    t:assert_eq(#file:read(1 << 20), 1 << 20)
    t:assert_eq(#file:read_all(), size - (1 << 20))
    file:close()
    vm:unlink("/tmp/larger")

    -- Output that is not refused but cut.
    local result = vm:run("head -c 150000000 /dev/zero", { max_output = "150M" }):assert_ok()
    t:assert_eq(result.truncated, true)
    t:assert(#result.stdout > 10 << 20)
    chaos.works(t, vm)
end)

test("a process that takes all of the memory is killed, and nobody else", chaos.real, function(t)
    local function fill(vm)
        local bystander = vm:run_async("exec sleep 1000")
        -- Half of the memory each, which is more than there is.
        local result = vm:run("cat /dev/zero > /tmp/fill; exec awk 'BEGIN { while (1) a[n++] = sprintf(\"%8000d\", n) }'")
        t:assert_eq(result.signal_name, "SIGKILL", tostring(result.stderr))
        vm:unlink("/tmp/fill")
        t:assert_eq(bystander:status(), "running")
        t:assert_contains(vm:run("dmesg"):assert_ok().stdout, "Out of memory: Killed process")
        chaos.works(t, vm)
    end
    fill(provium:vm("greedy", "linux"):boot())
    -- An agent that is no process 1 is one among many for the kernel.
    local vm = provium:vm("greedy too", "linux", chaos.mortal_agent()):boot()
    t:assert_eq(vm:run("cat /proc/$(cat /run/agent)/oom_score_adj /proc/self/oom_score_adj"):assert_ok().stdout, "-1000\n0\n")
    fill(vm)
end)
