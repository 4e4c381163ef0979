-- Two processes add 1 to a number in a file.
local function total(add)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/n", "0\n")
    local one = vm:spawn_worker():run_async(add)
    -- The second begins a little later, so that it usually finds the first one's result.
    local two = vm:spawn_worker():run_async("cat /etc/passwd > /dev/null; " .. add)
    one:wait():assert_ok()
    two:wait():assert_ok()
    return vm:read_file("/tmp/n")
end

local add = "n=$(cat /tmp/n); echo $((n + 1)) > /tmp/n"

test("wrong", function(t) t:assert_eq(total(add), "2\n") end)
test("right", function(t) t:assert_eq(total("flock /tmp/lock sh -c '" .. add .. "'"), "2\n") end)
