-- exit: 1
-- says: wrong in a task
-- says: 1 failed
-- An assertion in a task fails the test, although its error is swallowed.
test("in a task", function(t)
    local task = t:spawn(function() t:assert(false, "wrong in a task") end)
    pcall(function() task:join() end)
end)
