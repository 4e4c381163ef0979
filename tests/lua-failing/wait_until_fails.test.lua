-- exit: 1
-- says: wait_until: the moon not met within 2s
-- says: wait_until_fails.test.lua:7
-- A condition that is never met.
test("waits for the moon", function()
    -- The line below is the one that the report names.
    wait_until(function() return false end, { timeout = 2, desc = "the moon" })
end)
