-- exit: 1
-- says: endless_pattern.test.lua:13
-- says: endless_pattern.test.lua:36
-- says: while Lua was computing
-- says: timed out
-- says: 6 failed
-- says: 1 passed
-- A pattern that backtracks without end meets the test's deadline too, in pcall, in coroutines and in C functions.
local text = ("x"):rep(50)
local endless = (".-"):rep(20) .. "b"

test("find", { timeout = "1s" }, function()
    text:find(endless)
end)

test("match, and catches everything", { timeout = "1s" }, function()
    while true do
        pcall(string.match, text, endless)
    end
end)

test("gmatch in a coroutine", { timeout = "1s" }, function()
    local co = coroutine.wrap(function()
        for word in text:gmatch("(" .. endless .. ")") do coroutine.yield(word) end
    end)
    co()
end)

test("gsub in a task", { timeout = "1s" }, function(t)
    t:spawn(function() return text:gsub(endless, "") end):join()
end)

test("where it cannot yield", { timeout = "1s" }, function()
    while true do
        pcall(table.sort, { 3, 1, 2 }, function(a, b)
            return text:find(endless) or a < b
        end)
    end
end)

test("many short ones", { timeout = "1s" }, function()
    while true do text:find("x-y") end
end)

test("the next test runs", function(t) t:assert(true) end)
