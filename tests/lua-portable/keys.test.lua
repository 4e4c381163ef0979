-- The order in which `pairs` and `next` visit keys that Lua finds by their address. tests/portability.rs compares what is
-- logged here between processes, directories and environments; the guest is told too, so that journals differ as well.
local vm = provium:vm("v", "linux"):boot()

local function visit(t, keys, names, what)
    local order = {}
    for key in pairs(keys) do
        t:assert(names[key] ~= nil, "a key that nobody put there")
        order[#order + 1] = names[key]
    end
    local key, count = nil, 0
    repeat
        key = next(keys, key)
        if key ~= nil then
            count = count + 1
            t:assert_eq(names[key], order[count])
        end
    until key == nil
    t:assert_eq(count, #order)
    local text = what .. ": " .. table.concat(order, " ")
    t:log(text)
    vm:write_file("/order", text)
end

local function set()
    local keys, names = {}, {}
    return keys, names, function(key, name) keys[key], names[key] = true, name end
end

test("tables, functions and coroutines", function(t)
    local keys, names, add = set()
    for i = 1, 50 do
        add({}, "t" .. i)
        add(function() return i end, "f" .. i)
        if i % 5 == 0 then add(coroutine.create(function() end), "c" .. i) end
    end
    add("text", "text")
    add(1.5, "number")
    add(true, "true")
    add(json.null, "null")
    visit(t, keys, names, "made here")
    -- Assigning to keys that are there is allowed on the way.
    local n = 0
    for key in pairs(keys) do
        n = n + 1
        keys[key] = n % 3 == 0 and n or nil
    end
    visit(t, keys, names, "thinned out")
    for i = 1, 30 do add({ i }, "late" .. i) end
    visit(t, keys, names, "filled again")
end)

test("the libraries and their functions", function(t)
    local keys, names, add = set()
    for name, value in pairs(_G) do
        local kind = type(value)
        if kind == "function" or kind == "table" then add(value, name) end
    end
    for _, library in ipairs { "string", "table", "math", "utf8", "coroutine" } do
        for name, value in pairs(_G[library]) do
            if type(value) == "function" then add(value, library .. "." .. name) end
        end
    end
    for name, value in pairs(getmetatable("")) do
        if not names[value] then add(value, "metatable." .. name) end
    end
    for _, name in ipairs { "time", "date", "clock" } do add(os[name], "os." .. name) end
    for _, name in ipairs { "open", "lines", "type", "stdout", "stderr" } do add(io[name], "io." .. name) end
    -- What the iterators hand out is found nowhere else.
    add((ipairs {}), "step of ipairs")
    add((utf8.codes("")), "step of utf8.codes")
    add((utf8.codes("", true)), "step of lax utf8.codes")
    t:assert_eq(pairs {}, next)
    add(string.gmatch("a", "a"), "step of gmatch")
    add(vm.run, "vm.run")
    visit(t, keys, names, "libraries")
end)

test("objects of the lab", function(t)
    local keys, names, add = set()
    for i = 1, 4 do
        add(vm:spawn_worker(), "worker" .. i)
        add(provium:vm("other" .. i, "linux"), "vm" .. i)
        add(vm:run("echo " .. i), "result" .. i)
        add(vm:run_async("true"), "process" .. i)
        add(co.spawn and co.spawn(function() end) or t:spawn(function() end), "task" .. i)
    end
    add(vm, "vm")
    add(provium, "provium")
    add(t, "t")
    visit(t, keys, names, "objects")
end)

test("keys after the collector has been by", function(t)
    local keys, names, add = set()
    local weak = setmetatable({}, { __mode = "k" })
    for i = 1, 2000 do
        local key = { i }
        weak[key] = i
        if i % 40 == 0 then add(key, "k" .. i) end
    end
    collectgarbage()
    local left = 0
    for _ in pairs(weak) do left = left + 1 end
    t:assert_eq(left, 50)
    for i = 1, 40 do add({ i }, "new" .. i) end
    visit(t, keys, names, "after collecting")
end)

test("megabytes of garbage", function(t)
    local keys, names, add = set()
    local text = ""
    for i = 1, 300 do
        text = text .. ("x"):rep(2000)
        if i % 30 == 0 then add({ text }, "k" .. i) end
    end
    -- The collector runs by itself by now; when it does must be the same everywhere too.
    local weak, died = setmetatable({}, { __mode = "v" }), {}
    for i = 1, 5000 do
        weak[1] = weak[1] or { i }
        local garbage = {}
        for j = 1, 20 do garbage[j] = { j } end
        if weak[1] == nil or weak[1][1] ~= died[#died] then died[#died + 1] = weak[1] and weak[1][1] end
    end
    t:log("collected at " .. table.concat(died, " "))
    for i = 1, 40 do add({ i }, "new" .. i) end
    visit(t, keys, names, "after much garbage")
end)
