-- exit: 1
-- says: first trouble
-- says: second trouble
-- says: 1 failed
-- What failed after the first failure is not lost.
test("two things are wrong", function(t)
    pcall(function() t:assert(false, "first trouble") end)
    t:assert(false, "second trouble")
end)
