-- exit: 1
-- says: one is not two
-- says: 1 failed
-- says: 1 passed
-- A failed assertion fails the test whoever catches it; inside assert_raises it is what was wanted.
test("caught", function(t)
    pcall(function() t:assert_eq(1, 2, "one is not two") end)
    t:assert(true)
end)

test("wanted", function(t)
    t:assert_raises(function() t:assert_eq(1, 2) end)
end)
