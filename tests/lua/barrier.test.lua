-- lab:barrier: tasks meet.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("everybody waits for the last, and all get true", function(t)
    local arrived, passed = 0, {}
    local tasks = {}
    for i = 1, 3 do
        tasks[i] = t:spawn(function()
            co.sleep(i * 0.1)
            arrived = arrived + 1
            passed[i] = provium:barrier("start", 3)
            return arrived
        end)
    end
    for _, task in ipairs(tasks) do t:assert_eq(task:join(), 3) end
    t:assert_eq(passed, { true, true, true })
end)

test("a barrier between workers brings their commands together", function(t)
    local path = support.directory(vm, "barrier-workers") .. "/log"
    local function half(name)
        return t:spawn(function()
            local w = vm:spawn_worker()
            w:run("echo before-" .. name .. " >> " .. path):assert_ok()
            provium:barrier("half", 2)
            w:run("echo after-" .. name .. " >> " .. path):assert_ok()
        end)
    end
    local a, b = half("a"), half("b")
    a:join()
    b:join()
    local lines = {}
    for line in vm:read_file(path):gmatch("[^\n]+") do lines[#lines + 1] = line:match("^%a+") end
    t:assert_eq(lines, { "before", "before", "after", "after" })
end)

test("a count of 1 passes at once", function(t)
    t:assert_eq(provium:barrier("alone", 1), true)
    t:assert_eq(provium:barrier("alone", 1), true)
end)

test("a timeout raises for every waiter, with how many of how many", function(t)
    local function waiter()
        return t:spawn(function() provium:barrier("lonely", 3, "300ms") end)
    end
    for _, task in ipairs { waiter(), waiter() } do
        support.raises(t, { kind = "timeout", says = { "lonely", "2 of 3" } }, function() task:join() end)
    end
end)

test("a barrier can be used again after a timeout", function(t)
    support.raises(t, { kind = "timeout", says = "1 of 2" }, function() provium:barrier("again", 2, "100ms") end)
    local other = t:spawn(function() return provium:barrier("again", 2) end)
    t:assert_eq(provium:barrier("again", 2), true)
    t:assert_eq(other:join(), true)
end)

test("a barrier is used in rounds", function(t)
    local log = {}
    local function runner(name)
        return t:spawn(function()
            for round = 1, 3 do
                log[#log + 1] = round
                provium:barrier("round", 2)
            end
            return name
        end)
    end
    local a, b = runner("a"), runner("b")
    a:join()
    b:join()
    t:assert_eq(log, { 1, 1, 2, 2, 3, 3 })
end)

test("another count for a live round is refused", function(t)
    local waiting = t:spawn(function() return provium:barrier("count", 2) end)
    co.yield()
    co.sleep("10ms")
    support.raises(t, { kind = "usage", says = { "count", "2", "3" } }, function() provium:barrier("count", 3) end)
    t:assert_eq(provium:barrier("count", 2), true)
    t:assert_eq(waiting:join(), true)
    -- The round is over: the next may be larger.
    support.raises(t, { kind = "timeout", says = "1 of 3" }, function() provium:barrier("count", 3, "50ms") end)
end)

test("barriers of different names have nothing to do with each other", function(t)
    local a = t:spawn(function() return provium:barrier("name-a", 2) end)
    support.raises(t, { kind = "timeout", says = { "name-b", "1 of 2" } }, function()
        provium:barrier("name-b", 2, "100ms")
    end)
    t:assert_eq(a:done(), false)
    provium:barrier("name-a", 2)
    a:join()
end)

test("a barrier wants a name and a count of at least 1", function(t)
    support.raises(t, { kind = "usage" }, function() provium:barrier() end)
    support.raises(t, { kind = "usage" }, function() provium:barrier("x") end)
    support.raises(t, { kind = "usage" }, function() provium:barrier("x", 0) end)
    support.raises(t, { kind = "usage" }, function() provium:barrier("x", 1.5) end)
    support.raises(t, { kind = "usage" }, function() provium:barrier("x", 2, "soon") end)
end)

test("a cancelled waiter counts no more", function(t)
    local gone = t:spawn(function() provium:barrier("cancelled", 2) end)
    co.sleep("50ms")
    gone:cancel()
    co.sleep("50ms")
    support.raises(t, { kind = "timeout", says = "1 of 2" }, function() provium:barrier("cancelled", 2, "100ms") end)
end)
