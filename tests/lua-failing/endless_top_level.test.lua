-- exit: 2
-- says: endless_top_level.test.lua
-- says: timed out
-- A top level that never ends.
test("never runs", function() end)
while true do end
