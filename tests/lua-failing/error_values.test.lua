-- exit: 1
-- says: code = 7
-- says: 42
-- says: nil
-- says: made by tostring
-- says: 5 failed
-- Errors may be any value; the report shows it.
test("a table", function() error({ code = 7 }) end)
test("a number", function() error(42) end)
test("nothing", function() error() end)
test("a table that knows its text", function()
    error(setmetatable({}, { __tostring = function() return "made by tostring" end }))
end)
test("a table whose tostring fails", function()
    error(setmetatable({}, { __tostring = function() error("no") end }))
end)
