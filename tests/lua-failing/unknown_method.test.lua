-- exit: 1
-- says: spwan
-- says: unknown_method.test.lua:6
-- A method that is not there.
test("mistypes a method", function(t)
    t:spwan(function() end)
end)
