-- exit: 1
-- says: endless_loop.test.lua:9
-- says: timed out
-- says: 3 failed
-- says: 1 passed
-- Lua that never ends meets the test's deadline, in pcall, in coroutines and in C functions too.
test("loops", { timeout = "1s" }, function()
    local n = 0
    while true do n = n + 1 end
end)

test("loops and catches everything", { timeout = "1s" }, function()
    while true do
        pcall(function() while true do end end)
    end
end)

test("loops where it cannot yield", { timeout = "1s" }, function()
    while true do
        table.sort({ 3, 1, 2 }, function(a, b)
            for _ = 1, 1000 do end
            return a < b
        end)
    end
end)

test("the next test runs", function(t) t:assert(true) end)
