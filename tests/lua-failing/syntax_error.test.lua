-- exit: 2
-- says: syntax_error.test.lua:6
-- says: 'end' expected
-- Lua that cannot be read.
test("never runs", function(t)
