-- Two processes add 1 to a number in a file. Whether an increment is lost depends on who goes when:
-- `--seed N` chooses. The second test does it right and passes under every seed.

local function two_adders(vm, add)
    vm:write_file("/tmp/n", "0\n")
    local p1 = vm:spawn_worker():run_async(add)
    local p2 = vm:spawn_worker():run_async(add)
    p1:wait("10s"):assert_ok()
    p2:wait("10s"):assert_ok()
    return vm:read_file("/tmp/n")
end

test("no increment is lost", function(t)
    local vm = provium:vm("v", "linux"):boot()
    t:assert_eq(two_adders(vm, "n=$(cat /tmp/n); echo $((n + 1)) > /tmp/n"), "2\n")
end)

test("no increment is lost under a lock", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local add = "n=$(cat /tmp/n); echo $((n + 1)) > /tmp/n"
    t:assert_eq(two_adders(vm, "flock /tmp/lock sh -c '" .. add .. "'"), "2\n")
end)
