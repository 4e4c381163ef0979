-- exit: 1
-- says: meeting
-- says: 1 of 2
-- says: barrier_never_met.test.lua:7
-- A barrier that is never met says how many of how many were there.
test("waits alone", function()
    provium:barrier("meeting", 2, "1s")
end)
