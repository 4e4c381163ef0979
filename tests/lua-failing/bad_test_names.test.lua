-- exit: 1
-- says: test: argument 1 (name): a test needs a name
-- says: test: argument 1 (name): the name "two\nlines" has the control character `\n`
-- says: test: argument 1 (name): the name "a\0b" has the control character `\0`
-- says: test: argument 1 (name): the name has 301 bytes; the most is 300
-- says: 1 passed, 4 failed
local problems = {}
for at, name in ipairs { "", "two\nlines", "a\0b", ("x"):rep(301), ("x"):rep(300) } do
    local ok, problem = pcall(test, name, function() end)
    problems[at] = not ok and problem or nil
end
for at = 1, 4 do
    test("name " .. at, function() error(problems[at], 0) end)
end
