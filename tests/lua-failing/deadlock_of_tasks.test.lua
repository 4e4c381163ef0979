-- exit: 1
-- says: deadlock
-- says: lock(file 2, exclusive)
-- says: 2 failed
-- says: 1 passed
-- Nothing can happen any more: the test fails at once, saying who waits for what.
local vm = provium:vm("v", "linux"):boot()

test("two tasks join each other", function(t)
    local a, b
    a = t:spawn(function()
        co.yield()
        return b:join()
    end)
    b = t:spawn(function() return a:join() end)
    a:join()
end)

test("two files lock each other out", function(t)
    local function file(name) return vm:open_file("/tmp/" .. name, { write = true, create = true }) end
    local mine, other = file("a"), file("a")
    mine:lock("exclusive")
    other:lock("exclusive")
end)

test("the next test runs", function(t) t:assert_eq(vm:run("echo alive").stdout, "alive\n") end)
