-- exit: 2
-- says: top_level_error.test.lua:7
-- says: not today
-- An error at the top level: none of the file's tests runs.
test("never runs", function(t) t:assert(true) end)

error("not today")
