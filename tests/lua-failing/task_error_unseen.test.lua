-- exit: 1
-- says: nobody saw this
-- says: 1 failed
-- An error of a task that nobody joined fails the test.
test("forgets its task's error", function(t)
    t:spawn(function() error("nobody saw this") end)
    co.sleep("10ms")
end)
