-- A thousand processes, a hundred megabytes, ten streams.
local chaos = require("chaos")

test("a thousand processes at once", { timeout = "300s" }, function(t)
    local vm = provium:vm("many", "linux"):boot()
    -- The smallest process that the guest has.
    local program, args = "sleep", { "1000" }
    if vm:run("command -v busybox"):ok() then
        program, args = "busybox", { "sleep", "1000" }
    end
    local workers = { vm:spawn_worker(), vm:spawn_worker(), vm:spawn_worker(), vm:spawn_worker() }
    local starts = {}
    for i, worker in ipairs(workers) do
        starts[i] = t:spawn(function()
            for _ = 1, 250 do worker:run_async(program, { args = args, stdin_open = false }) end
        end)
    end
    for _, start in ipairs(starts) do start:join() end
    t:assert(tonumber(vm:run("ls /proc | grep -c '^[0-9]'"):assert_ok().stdout) > 1000)
    for _, worker in ipairs(workers) do
        t:assert_eq(worker:kill("KILL"), 250)
        local joined = worker:join(chaos.PATIENCE)
        t:assert_eq(joined.count, 250)
        t:assert_eq(joined.signalled, 250)
    end
    chaos.works(t, vm)
end)

test("fifty commands at once", { timeout = "120s" }, function(t)
    local vm = provium:vm("commands", "linux"):boot()
    local tasks = {}
    for i = 1, 50 do
        tasks[i] = t:spawn(function() return vm:run("echo " .. i).stdout end)
    end
    for i, task in ipairs(tasks) do
        t:assert_eq(task:join(chaos.PATIENCE), i .. "\n")
    end
end)

test("a hundred megabytes of output", { timeout = "120s" }, function(t)
    local vm = provium:vm("output", "linux"):boot()
    local hundred = "head -c 104857600 /dev/zero"
    local kept = vm:run(hundred, { max_output = "1M" }):assert_ok()
    t:assert_eq(#kept.stdout, 1 << 20)
    t:assert_eq(kept.truncated, true)

    local process = vm:run_async(hundred, { max_output = 0 })
    local stream, bytes = process:stdout_stream(), 0
    -- Nobody reads: the process waits for room in its pipe.
    co.sleep("200ms")
    t:assert_eq(process:status(), "running")
    while true do
        local piece = stream:next(chaos.PATIENCE)
        if not piece then break end
        bytes = bytes + #piece
    end
    t:assert(stream:eof())
    t:assert_eq(bytes, 100 << 20)
    process:wait(chaos.PATIENCE):assert_ok()
    chaos.works(t, vm)
end)

test("ten streams at once", { timeout = "120s" }, function(t)
    local vm = provium:vm("streams", "linux"):boot()
    local readers = {}
    for i = 1, 10 do
        local path = "/tmp/data" .. i
        vm:run("head -c 2000000 /dev/urandom > " .. path):assert_ok()
        local process = vm:run_async("cat " .. path, { max_output = 0 })
        local stream = process:stdout_stream()
        readers[i] = t:spawn(function()
            local copy = vm:open_file(path .. ".copy", { write = true, create = true })
            while true do
                local piece = stream:next(chaos.PATIENCE)
                if not piece then break end
                copy:write_all(piece)
            end
            copy:close()
            return path
        end)
    end
    for _, reader in ipairs(readers) do
        local path = reader:join(chaos.PATIENCE)
        vm:run("cmp " .. path .. " " .. path .. ".copy"):assert_ok()
    end
end)
