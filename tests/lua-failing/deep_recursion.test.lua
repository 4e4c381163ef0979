-- exit: 1
-- says: stack overflow
-- says: deep_recursion.test.lua:9
-- says: 3 failed
-- says: 1 passed
-- Recursion without end: in Lua, through pcall, through metamethods.
test("recurses", function()
    local function deeper(n)
        return 1 + deeper(n + 1)
    end
    deeper(1)
end)

test("recurses through pcall", function()
    local function deeper() error(select(2, pcall(deeper)), 0) end
    deeper()
end)

test("recurses through a metamethod", function()
    local t = setmetatable({}, {})
    getmetatable(t).__index = function(self, key) return self[key .. "x"] end
    return t.x
end)

test("the next test runs", function(t) t:assert(true) end)
