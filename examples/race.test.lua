-- Two processes add 1 to a number in a file. The second starts a little later, so by default both
-- increments count; under one schedule in ten they meet, and one is lost. `--seed N` chooses.

local add = "n=$(cat /tmp/n); echo $((n + 1)) > /tmp/n"

local function result_of(first, second)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/n", "0\n")
    local p1 = vm:spawn_worker():run_async(first)
    local p2 = vm:spawn_worker():run_async("date > /tmp/started; " .. second)
    p1:wait("10s"):assert_ok()
    p2:wait("10s"):assert_ok()
    return vm:read_file("/tmp/n")
end

test("no increment is lost", function(t)
    t:assert_eq(result_of(add, add), "2\n")
end)

test("no increment is lost under a lock", function(t)
    local locked = "flock /tmp/lock sh -c '" .. add .. "'"
    t:assert_eq(result_of(locked, locked), "2\n")
end)
