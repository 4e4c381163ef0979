-- Much that could go differently: processes, tasks, streams, locks, signals, random numbers.
test("races", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/n", "0\n")
    local add = "n=$(cat /tmp/n); echo $((n + 1)) > /tmp/n"
    local one, two = vm:spawn_worker(), vm:spawn_worker()
    local a, b = one:run_async(add), two:run_async("flock /tmp/lock sh -c '" .. add .. "'")
    local reader = t:spawn(function()
        local lines = {}
        local p = vm:run_async("for i in 1 2 3; do echo $i | tr 1-9 a-i; done")
        local out = p:stdout_stream()
        for piece in function() return out:next() end do lines[#lines + 1] = piece end
        return table.concat(lines, "|")
    end)
    local killer = t:spawn(function()
        local p = vm:run_async("trap 'exit 3' TERM; while :; do sleep 0.01; done")
        co.sleep(math.random() / 100)
        p:kill()
        return p:wait(10).exit_code
    end)
    a:wait(10):assert_ok()
    b:wait(10):assert_ok()
    t:log(vm:read_file("/tmp/n"))
    t:log(reader:join())
    t:log(killer:join())
    t:log(vm:run("cat /proc/sys/kernel/random/uuid 2>/dev/null; head -c 4 /dev/urandom | od -An -tx1").stdout)
    for key, value in pairs({ x = 1, y = 2, z = 3 }) do t:log(tostring(key) .. value) end
end)
