-- exit: 0
-- says: main/1
-- says: task_left_over.test.lua:7
-- says: 1 passed
-- A task that is left at the end of its test is cancelled and reported.
test("forgets its task", function(t)
    t:spawn(function() co.sleep("1h") end)
    co.yield()
end)
