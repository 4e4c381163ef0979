-- t: assertions and what a test knows of itself.
local support = require("support")

test("assert takes anything that is true", function(t)
    t:assert(true)
    t:assert(0)
    t:assert("")
    t:assert({}, "message")
end)

test("assert raises for false and nil, with the message", function(t)
    local e = t:assert_raises(function() t:assert(1 == 2, "one is not two") end)
    t:assert_contains(tostring(e), "one is not two")
    t:assert_raises(function() t:assert(nil) end)
end)

test("assert_eq shows both values", function(t)
    t:assert_eq(1, 1)
    t:assert_eq("a", "a")
    t:assert_eq(1, 1.0)
    local e = t:assert_raises(function() t:assert_eq("left value", "right value", "they differ") end)
    for _, text in ipairs { "left value", "right value", "they differ" } do t:assert_contains(tostring(e), text) end
    t:assert_raises(function() t:assert_eq(1, "1") end)
    t:assert_raises(function() t:assert_eq(nil, false) end)
end)

test("assert_eq compares tables in depth", function(t)
    t:assert_eq({ 1, { a = { true } } }, { 1, { a = { true } } })
    t:assert_eq({}, {})
    local e = t:assert_raises(function() t:assert_eq({ a = 1, b = { c = "old" } }, { a = 1, b = { c = "new" } }) end)
    for _, text in ipairs { "c", "old", "new" } do t:assert_contains(tostring(e), text) end
    t:assert_raises(function() t:assert_eq({ 1, 2 }, { 1, 2, 3 }) end)
    t:assert_raises(function() t:assert_eq({ 1, 2, 3 }, { 1, 2 }) end)
    t:assert_raises(function() t:assert_eq({ a = 1 }, { b = 1 }) end)
end)

test("assert_eq is not led in circles", function(t)
    local a, b = { 1 }, { 1 }
    a.self, b.self = a, b
    t:assert_eq(a, a)
    t:assert_eq(a, b)
    b[1] = 2
    t:assert_raises(function() t:assert_eq(a, b) end)
end)

test("assert_neq is the contrary", function(t)
    t:assert_neq(1, 2)
    t:assert_neq({ 1 }, { 2 })
    t:assert_neq(nil, false)
    local e = t:assert_raises(function() t:assert_neq({ 1 }, { 1 }, "must differ") end)
    t:assert_contains(tostring(e), "must differ")
end)

test("assert_contains looks for plain text", function(t)
    t:assert_contains("a.b%c", ".b%")
    t:assert_contains("anything", "")
    local e = t:assert_raises(function() t:assert_contains("the haystack", "needle") end)
    t:assert_contains(tostring(e), "the haystack")
    t:assert_contains(tostring(e), "needle")
    t:assert_raises(function() t:assert_contains("abc", "a.c") end)
end)

test("assert_match looks for a Lua pattern", function(t)
    t:assert_match("pid 123", "^%a+ %d+$")
    local e = t:assert_raises(function() t:assert_match("pid none", "%d+") end)
    t:assert_contains(tostring(e), "pid none")
    t:assert_contains(tostring(e), "%d+")
end)

test("assert_raises returns the error, and raises when there was none", function(t)
    local thrown = { "thrown" }
    t:assert_eq(t:assert_raises(function() error(thrown) end), thrown)
    local e = t:assert_raises(function() t:assert_raises(function() end, "must raise") end)
    t:assert_contains(tostring(e), "must raise")
end)

test("fail raises with its message", function(t)
    t:assert_contains(tostring(t:assert_raises(function() t:fail("because") end)), "because")
    t:assert_raises(function() t:fail() end)
end)

test("a failed assertion names its line", function(t)
    local line
    local e = t:assert_raises(function()
        line = support.line() + 1
        t:assert_eq(1, 2)
    end)
    t:assert_contains(tostring(e), "assertions.test.lua:" .. line)
end)

test("a test knows its name", function(t)
    t:assert_eq(t.name, "a test knows its name")
end)

test("a test knows its meta, keys of its own included", { tags = { "one", "two" }, ticket = "ABC-1", nested = { a = 1 } }, function(t)
    t:assert_eq(t.meta.ticket, "ABC-1")
    t:assert_eq(t.meta.nested, { a = 1 })
    t:assert_eq(t.meta.tags, { "one", "two" })
end)

test("log takes any value", function(t)
    t:log("text")
    t:log(42)
    t:log(nil)
    t:log({ a = { 1, 2 } })
end)

test("print does not disturb", function()
    print("printed", 1, nil, true)
end)

local ran = {}

test("skipped for no given reason", { skip = true }, function() ran[#ran + 1] = "skip" end)
test("skipped for a reason", { skip = "not today" }, function() ran[#ran + 1] = "reason" end)
test("skipped on this backend", { backend = { "no-such-backend", "nor-this" } }, function() ran[#ran + 1] = "backend" end)
test("skipped by itself", function(t)
    t:skip("nothing to do")
    ran[#ran + 1] = "itself"
end)
test("run on every backend that it names", { backend = { "sim", "qemu", "replay" } }, function() ran[#ran + 1] = "named" end)

test("a skipped test did not run", function(t)
    t:assert_eq(ran, { "named" })
end)

-- Registration happens at the top level, so that is where it is refused.
local refusals = {}
local function refused(says, ...)
    local ok, e = pcall(test, ...)
    refusals[#refusals + 1] = { ok = ok, text = tostring(e), says = says }
end
refused("function", "no body")
refused("string", 5, function() end)
refused("duplicate name `assert takes anything that is true` in this file", "assert takes anything that is true", function() end)
refused("meta", "bad meta", { slow = "yes" }, function() end)
refused("meta", "bad timeout", { timeout = "soon" }, function() end)

test("registration is strict", function(t)
    for _, refusal in ipairs(refusals) do
        t:assert_eq(refusal.ok, false)
        t:assert_contains(refusal.text, refusal.says)
    end
end)

test("an error of __eq is not taken for an answer", function(t)
    local odd = setmetatable({}, { __eq = function() error("no telling") end })
    local e = t:assert_raises(function() t:assert_eq(odd, setmetatable({}, getmetatable(odd))) end)
    t:assert_contains(tostring(e), "no telling")
    local nested = t:assert_raises(function() t:assert_eq({ odd }, { setmetatable({}, getmetatable(odd)) }) end)
    t:assert_contains(tostring(nested), "no telling")
end)
