-- wait_until, json, require, and what is the same in every run.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("wait_until returns the first truthy result", function(t)
    local n = 0
    t:assert_eq(wait_until(function()
        n = n + 1
        return n == 3 and "third"
    end), "third")
    t:assert_eq(n, 3)
end)

test("wait_until raises when its time is up, with what it waited for", function(t)
    local e = t:assert_raises(function()
        wait_until(function() return false end, { timeout = 2, interval = 0.5, desc = "the moon" })
    end)
    t:assert_eq(e.kind, "timeout")
    t:assert_contains(e.message, "wait_until: the moon not met within 2s")
    local plain = t:assert_raises(function() wait_until(function() end, { timeout = "1s" }) end)
    t:assert_contains(plain.message, "wait_until: condition not met within 1s")
end)

test("wait_until looks at least once", function(t)
    t:assert_eq(wait_until(function() return "at once" end, { timeout = 0 }), "at once")
    local n = 0
    t:assert_raises(function() wait_until(function() n = n + 1 end, { timeout = 0 }) end)
    t:assert(n >= 1)
end)

test("wait_until passes an error on at once", function(t)
    local n = 0
    local e = t:assert_raises(function()
        wait_until(function()
            n = n + 1
            error("broken", 0)
        end)
    end)
    t:assert_eq(e, "broken")
    t:assert_eq(n, 1)
end)

test("guest time passes between the looks", function(t)
    local before = support.uptime(vm)
    local n = 0
    wait_until(function()
        n = n + 1
        return n == 4
    end, { interval = "300ms" })
    local took = support.uptime(vm) - before
    t:assert(took >= 0.89 and took < 20, "took " .. took)
end)

test("wait_until may ask the guest", function(t)
    local path = support.directory(vm, "globals-wait") .. "/f"
    local p = vm:run_async("sleep 0.5; echo x > " .. path)
    t:assert_eq(wait_until(function() return vm:run("test -e " .. path):ok() end), true)
    p:wait(10):assert_ok()
end)

test("wait_until is strict", function(t)
    support.raises(t, { kind = "usage", says = { "timout", "timeout", "interval", "desc" } }, function()
        wait_until(function() return true end, { timout = 1 })
    end)
    support.raises(t, { kind = "usage" }, function() wait_until(true) end)
    support.raises(t, { kind = "usage" }, function() wait_until(function() return true end, { timeout = -1 }) end)
end)

test("json goes there and back", function(t)
    local value = {
        text = 'quote " backslash \\ newline \n unicode é \0',
        list = { 1, 2, 3 },
        nested = { deep = { deeper = { true, false } } },
        number = 1.5,
        empty_text = "",
    }
    t:assert_eq(json.decode(json.encode(value)), value)
end)

test("json keeps 64-bit integers exact", function(t)
    for _, n in ipairs { math.maxinteger, math.mininteger, 2 ^ 53 | 0, (1 << 53) + 1, 0, -1 } do
        local back = json.decode(json.encode(n))
        t:assert_eq(back, n)
        t:assert_eq(math.type(back), "integer")
    end
    t:assert_eq(json.decode("9007199254740993"), 9007199254740993)
    t:assert_eq(math.type(json.decode("1.0")), "float")
end)

test("a table is an array if its keys are 1 to n", function(t)
    t:assert_eq(json.encode({ 1, "two", true }), '[1,"two",true]')
    t:assert_eq(json.encode({ a = 1 }), '{"a":1}')
    t:assert_eq(json.decode("[]"), {})
    t:assert_eq(json.decode('{"a": [1, {"b": 2}]}'), { a = { 1, { b = 2 } } })
end)

test("json objects are encoded in one order", function(t)
    t:assert_eq(json.encode({ b = 1, a = 2, c = 3 }), '{"a":2,"b":1,"c":3}')
end)

test("json reads escapes", function(t)
    t:assert_eq(json.decode([["\u00e9\n\"\\\/\ud83d\ude00"]]), "é\n\"\\/😀")
end)

test("what json cannot hold is refused", function(t)
    t:assert_raises(function() json.encode(print) end)
    t:assert_raises(function() json.encode({ 0 / 0 }) end)
    t:assert_raises(function() json.encode(1 / 0) end)
    t:assert_raises(function() json.encode({ [{}] = 1 }) end)
    local circle = {}
    circle[1] = circle
    t:assert_raises(function() json.encode(circle) end)
end)

test("what is no json is refused with its place", function(t)
    for _, bad in ipairs { "", "{", "[1,]", "{a:1}", "nul", "1 2", '"open', "[1}" } do
        t:assert_raises(function() json.decode(bad) end)
    end
    t:assert_contains(tostring(t:assert_raises(function() json.decode('{\n"a": x}') end)), "line 2")
    t:assert_raises(function() json.decode(("["):rep(100000)) end)
end)

test("require finds modules under the roots, and runs them once", function(t)
    t:assert_eq(require("support"), support)
    t:assert_eq(require("support"), require("support"))
end)

test("require of what is not there says where it looked", function(t)
    local e = t:assert_raises(function() require("no.such.module") end)
    t:assert_contains(tostring(e), "no.such.module")
end)

test("what differs from run to run is out of reach", function(t)
    -- Addresses, the host's environment and the host's commands would make two runs differ.
    t:assert(not tostring({}):find("0x"), tostring({}))
    t:assert(not tostring(print):find("0x"), tostring(print))
    t:assert(not string.format("%s", {}):find("0x"))
    t:assert_raises(function() os.execute("true") end)
    t:assert_raises(function() os.getenv("HOME") end)
    t:assert_raises(function() os.tmpname() end)
    t:assert_raises(function() io.popen("true") end)
end)

test("the host's clock is the lab's", { backend = "sim", timeout = "200s" }, function(t)
    local before = os.time()
    co.sleep("100s")
    local took = os.time() - before
    t:assert(took >= 100 and took <= 101, "took " .. took)
end)

test("dates are UTC, in the formats of strftime", function(t)
    local noon = os.time { year = 2024, month = 14, day = -1, hour = 12 }
    t:assert_eq(os.date("%F %T %a %G-W%V", noon), "2025-01-30 12:00:00 Thu 2025-W05")
    t:assert_eq(os.date("!%c", 0), "Thu Jan  1 00:00:00 1970")
    local date = os.date("*t", noon)
    t:assert_eq({ date.year, date.month, date.day, date.wday, date.yday, date.isdst }, { 2025, 1, 30, 5, 30, false })
    t:assert_eq(os.time(date), noon)
    support.raises(t, { kind = "usage", op = "date", says = "`%Q` has a conversion" }, function() os.date("%Q") end)
    support.raises(t, { kind = "usage", op = "date", says = "cannot be represented" }, function() os.date("%c", 1 << 40) end)
    support.raises(t, { kind = "usage", op = "time", says = "cannot be represented" }, function()
        os.time { year = 10000, month = 1, day = 1 }
    end)
end)

test("two tables are told apart by their names", function(t)
    local a, b = {}, {}
    t:assert_neq(tostring(a), tostring(b))
    t:assert_eq(tostring(a), tostring(a))
end)

test("bytecode cannot be loaded", function(t)
    local ok, chunk = pcall(load, string.dump(function() end), "dumped", "b")
    t:assert(not (ok and chunk), "bytecode was loaded")
end)

test("require names itself when its argument is wrong", function(t)
    support.raises(t, { kind = "usage", op = "require", says = "require: argument 1 (name)" }, function() require(5) end)
    support.raises(t, { kind = "usage", op = "require", says = "no module `nowhere`" }, function() require("nowhere") end)
end)
