-- What the tests of troubled guests share. They are run by `tests/chaos`, which also does what a command that begins with
-- `on the host: ` says.
local chaos = {}

--- Whether the guest of this run is a real one, also in a replay: only those have a kernel that can panic.
chaos.real = { backend = { "qemu", "replay" }, timeout = "150s" }

--- How long something may take that is to happen within seconds: it only keeps a test from hanging.
chaos.PATIENCE = "60s"

--- Checks that an error says that the guest was lost: `says` (an array of texts) must stand in its message.
function chaos.check_lost(t, vm, e, says)
    t:assert_eq(e.kind, "lost", tostring(e))
    t:assert_eq(e.vm, vm:name())
    t:assert_contains(e.message, "the guest `" .. vm:name() .. "` was lost: ")
    for _, text in ipairs(says) do
        t:assert_contains(e.message, text)
    end
    t:assert_match(e.file, "%.lua$")
    t:assert(e.line > 0)
    t:assert_contains(tostring(e), e.file .. ":" .. e.line .. ": " .. e.message)
end

--- Has one of each kind of operation under way in a booted guest, lets `trouble` happen, and checks that each of them ends with
--- the same error, as does `trouble` if it raises; that the VM is dead then and says why, and that its streams give what they had
--- and then the error.
function chaos.lose(t, vm, says, trouble)
    local cat = vm:run_async("echo before; exec cat")
    local unread, read = cat:stdout_stream(), cat:stdout_stream()
    read:expect("before\n")
    local worker, other = vm:spawn_worker(), vm:spawn_worker()
    local file = vm:open_file("/tmp/open", { write = true, create = true })
    vm:run("mkfifo /tmp/fifo"):assert_ok()
    local calls = {
        run = function() vm:run("sleep 1000") end,
        wait = function() cat:wait() end,
        syscall = function() worker:syscall("pause") end,
        open_file = function() other:open_file("/tmp/fifo", { read = true }) end,
        next = function() read:next("1h") end,
    }
    local tasks = {}
    for name, call in pairs(calls) do
        tasks[name] = t:spawn(function() return t:assert_raises(call) end)
    end
    worker:wait_blocked()
    local ok, e = pcall(trouble)
    if not ok then
        chaos.check_lost(t, vm, e, says)
    end
    local lost
    for name, task in pairs(tasks) do
        local e = task:join(chaos.PATIENCE)
        chaos.check_lost(t, vm, e, says)
        t:assert_contains(e.message, ":" .. name .. ": ")
        -- All of them say the same, whichever was asked.
        local said = e.message:match(": (the guest .*)$")
        t:assert_eq(said, lost or said)
        lost = said
    end
    t:assert_eq(vm:state(), "dead")
    local first_line = lost:match("^[^\n]*")
    for _, call in ipairs({
        function() vm:run("true") end,
        function() file:write("x") end,
        function() worker:run("true") end,
        function() cat:wait() end,
    }) do
        local e = t:assert_raises(call)
        t:assert_eq(e.kind, "state", tostring(e))
        t:assert_contains(e.message, first_line)
    end
    t:assert_eq(unread:next(), "before\n")
    chaos.check_lost(t, vm, t:assert_raises(function() unread:next() end), says)
    unread:close()
    t:assert_eq(t:assert_raises(function() unread:next() end).kind, "state")
    chaos.works(t, provium:vm("after " .. vm:name(), "linux"):boot())
end

--- Checks that a guest does what guests do.
function chaos.works(t, vm)
    t:assert_eq(vm:run("tr a-z A-Z", { stdin = "hello" }):assert_ok().stdout, "HELLO")
    vm:write_file("/tmp/works", "yes")
    t:assert_eq(vm:read_file("/tmp/works"), "yes")
    local worker = vm:spawn_worker()
    t:assert(worker:syscall("getpid").ret > 0)
    worker:close()
    vm:unlink("/tmp/works")
end

--- Boot options of a guest whose agent is no process 1 but one that can be killed; its process id is in /run/agent.
function chaos.mortal_agent()
    local init = [[#!/bin/sh
        mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
        for module in $(cat /etc/provium/modules /etc/provium/modules.later); do insmod $module; done
        mkdir -p /run /tmp
        /provium-agent --guest --virtio-port provium.agent.0 &
        echo $! > /run/agent
        while :; do sleep 1000; done
    ]]
    return {
        cold = true,
        files = { { path = "/chaos-init", content = init, mode = tonumber("755", 8) } },
        -- What follows `--`, and so provium's own choice of the first process, goes to that process.
        kernel_cmdline_append = "console=ttyS0 panic=-1 no_timer_check rdinit=/chaos-init --",
    }
end

return chaos
