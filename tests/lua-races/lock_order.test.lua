-- Two processes take two locks. Taken in different orders, each may come to wait for the other for ever.
local function both(first, second)
    local vm = provium:vm("v", "linux"):boot()
    local function take(a, b) return "flock /tmp/" .. a .. " sh -c 'flock /tmp/" .. b .. " echo had both'" end
    local one = vm:spawn_worker():run_async(take("a", "b"))
    local two = vm:spawn_worker():run_async("cat /etc/passwd > /dev/null; " .. take(first, second))
    return one:wait():assert_ok().stdout .. two:wait():assert_ok().stdout
end

test("wrong", function(t) t:assert_eq(both("b", "a"), "had both\nhad both\n") end)
test("right", function(t) t:assert_eq(both("a", "b"), "had both\nhad both\n") end)
