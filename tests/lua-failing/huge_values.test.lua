-- exit: 1
-- says: memory
-- says: 2 failed
-- says: 1 passed
-- A string or a table that fits into no memory.
test("a string of a terabyte", function() return ("x"):rep(1 << 40) end)

test("a table that grows without end", { timeout = "10m" }, function()
    local all, i = {}, 0
    while true do
        i = i + 1
        all[i] = ("x"):rep(1 << 20) .. i
    end
end)

test("the next test runs", function(t) t:assert_eq(#("x"):rep(1 << 20), 1 << 20) end)
