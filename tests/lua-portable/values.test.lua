-- Everything else that could tell one host from another: names of values, messages, dates, random numbers, sorting.
local vm = provium:vm("v", "linux"):boot()

local function say(t, text)
    t:log(text)
    vm:write_file("/said", text)
end

test("values have names, not addresses", function(t)
    local values = {
        {}, {}, print, function() end, coroutine.create(print), io, io.stdout, string, t, provium, vm, vm.run,
        vm:spawn_worker(), vm:run("true"), vm:run_async("true"), json.null, setmetatable({}, { __name = "named" }),
        provium.errno, co, os, string.gmatch("a", "a"), vm:open_file("/said", { write = true, create = true }),
    }
    for i, value in ipairs(values) do
        local text = tostring(value)
        t:assert(not text:find("0x"), text)
        t:assert_eq(string.format("%s", value), text)
        t:assert_eq(tostring(value), text)
        say(t, i .. " " .. text)
        print(value, { value })
        t:log(value)
        t:log({ value, [value] = value })
    end
    vm:batch(function(b)
        t:log(b)
        t:log(tostring(b))
    end)
    -- A name of the test's own is left alone, whatever it looks like.
    t:assert_eq(tostring(setmetatable({}, { __tostring = function() return "at: 0x12" end })), "at: 0x12")
    t:assert_eq(string.format("%d%%p", 5), "5%p")
    t:assert_contains(tostring(t:assert_raises(function() return string.format("%-10p", {}) end)), "addresses differ")
end)

test("messages of errors", function(t)
    local wrong = {
        function() return nil .. "x" end,
        function() return {} + 1 end,
        function() return {} < {} end,
        function() return #print end,
        function() string.format("%d", {}) end,
        function() ("x"):rep(1 << 40) end,
        function() ("x"):rep(600 << 20) end,
        function() table.insert({}, 1, 2, 3) end,
        function() setmetatable(1, {}) end,
        function() setmetatable({}, { __gc = print }) end,
        function() collectgarbage("count") end,
        function() utf8.codes("\x80") end,
        function() for _ in pairs(nil) do end end,
        function() vm:run(print) end,
        function() vm:run({ {} }) end,
        function() vm:nonsense() end,
        function() provium:vm("x", {}) end,
        function() error({}) end,
        function() error(setmetatable({}, { __tostring = function() return "own" end })) end,
        function() t:assert_eq({ [{}] = print }, { [print] = {} }) end,
        function() os.getenv("HOME") end,
        function() os.setlocale("C") end,
        function() os.execute("true") end,
        function() io.popen("true") end,
        function() load("x =")() end,
        function() return coroutine.wrap(function() error("inside") end)() end,
    }
    for i, fn in ipairs(wrong) do
        if i ~= 20 then
            local e = t:assert_raises(fn)
            say(t, i .. " " .. tostring(e))
            t:assert(not tostring(e):find("0x"), tostring(e))
        end
    end
    say(t, debug.traceback("where"))
    local _, e = pcall(function() local function deep() return 1 + deep() end deep() end)
    say(t, tostring(e):sub(1, 100))
end)

test("time, chance and numbers", function(t)
    say(t, os.date() .. " " .. os.date("%c %Z %A %B %x %X %p", 1e9 // 1) .. " " .. os.time { year = 2024, month = 7, day = 1 })
    say(t, os.time() .. " " .. os.clock())
    local drawn = {}
    for i = 1, 20 do drawn[i] = math.random(1000) end
    math.randomseed(7)
    for i = 21, 25 do drawn[i] = math.random(1000) end
    math.randomseed()
    for i = 26, 30 do drawn[i] = math.random(1000) end
    say(t, table.concat(drawn, " "))
    say(t, string.format("%g %.3f %a %5.1e %q", 0.1, 1e6 / 3, 0.1, 12345.678, 0.1) .. " " .. 1e100 .. " " .. 2 ^ 53)
    say(t, ("%s %s"):format(("ÄÖ"):upper(), ("äö"):lower()) .. " " .. tostring(("ä"):find("%a")))
    t:assert_eq(tostring(1.5), "1.5")
    t:assert_eq(tonumber("1,5"), nil)
end)

test("sorting what compares equal", function(t)
    local n = 400
    local solid, candidate, values, items = 0, 0, {}, {}
    for i = 1, n do items[i], values[i] = i, n end
    local calls = 0
    -- As slow as it can be made, which is when Lua looks for another way to choose.
    table.sort(items, function(a, b)
        calls = calls * 31 + a * n + b
        if values[a] == n and values[b] == n then
            if a == candidate then values[a] = solid else values[b] = solid end
            solid = solid + 1
        end
        if values[a] == n then candidate = a elseif values[b] == n then candidate = b end
        return values[a] < values[b]
    end)
    say(t, "comparisons " .. calls)
    local equal = {}
    for i = 1, 300 do equal[i] = { i } end
    table.sort(equal, function(a, b) return a[1] % 3 < b[1] % 3 end)
    for i = 1, 300 do equal[i] = equal[i][1] end
    say(t, table.concat(equal, " "))
end)
