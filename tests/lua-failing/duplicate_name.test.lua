-- exit: 2
-- says: duplicate_name.test.lua:6
-- says: test: duplicate name `same` in this file
-- Two tests of one name.
test("same", function() end)
test("same", function() end)
