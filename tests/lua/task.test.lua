-- Tasks: t:spawn, join, done, cancel, co.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("join returns the results of the function", function(t)
    local task = t:spawn(function(a, b) return a + b, nil, "three" end, 1, 2)
    local x, y, z = task:join()
    t:assert_eq(x, 3)
    t:assert_eq(y, nil)
    t:assert_eq(z, "three")
end)

test("join raises the error of the function", function(t)
    local task = t:spawn(function() error({ mine = true }) end)
    local e = t:assert_raises(function() task:join() end)
    t:assert_eq(e.mine, true)
    local failing = t:spawn(function() vm:read_file("/no/such/file") end)
    support.raises(t, { kind = "os", errname = "ENOENT" }, function() failing:join() end)
end)

test("join twice gives the same", function(t)
    local task = t:spawn(function() return "same" end)
    t:assert_eq(task:join(), "same")
    t:assert_eq(task:join(), "same")
end)

test("tasks overlap: two commands can wait for each other", function(t)
    local pipe = support.directory(vm, "task-overlap") .. "/pipe"
    vm:run("mkfifo " .. pipe):assert_ok()
    local one = t:spawn(function() return vm:run("read line < " .. pipe .. "; echo $line").stdout end)
    local two = t:spawn(function() vm:run("echo met > " .. pipe, { timeout = 20 }):assert_ok() end)
    two:join(30)
    t:assert_eq(one:join(30), "met\n")
end)

test("tasks overlap: two sleeps take the time of one", { backend = "sim" }, function(t)
    local before = support.uptime(vm)
    local one = t:spawn(function() vm:run("sleep 1") end)
    local two = t:spawn(function() vm:run("sleep 1") end)
    one:join()
    two:join()
    local took = support.uptime(vm) - before
    t:assert(took >= 1 and took < 1.9, "took " .. took)
end)

test("co.sleep passes guest time, and sleeps overlap", function(t)
    local before = support.uptime(vm)
    local tasks = {}
    for i = 1, 10 do tasks[i] = t:spawn(function() co.sleep("1s") end) end
    for _, task in ipairs(tasks) do task:join() end
    local took = support.uptime(vm) - before
    t:assert(took >= 0.99 and took < 9.9, "took " .. took)
end)

test("done says whether the task has ended", function(t)
    local task = t:spawn(function() co.sleep("100ms") end)
    t:assert_eq(task:done(), false)
    task:join()
    t:assert_eq(task:done(), true)
    local failed = t:spawn(function() error("x") end)
    wait_until(function() return failed:done() end)
    t:assert_raises(function() failed:join() end)
end)

test("a join that takes too long raises and leaves the task alone", function(t)
    local task = t:spawn(function()
        co.sleep("1s")
        return "in the end"
    end)
    support.raises(t, { kind = "timeout" }, function() task:join("100ms") end)
    t:assert_eq(task:done(), false)
    t:assert_eq(task:join(20), "in the end")
end)

test("a cancelled task does not go on", function(t)
    local reached = false
    local task = t:spawn(function()
        co.sleep("200ms")
        reached = true
    end)
    co.yield()
    task:cancel()
    co.sleep("500ms")
    t:assert_eq(reached, false)
    t:assert_eq(task:done(), true)
    t:assert_raises(function() task:join() end)
end)

test("cancel twice is fine, and after the end too", function(t)
    local task = t:spawn(function() return 1 end)
    task:join()
    task:cancel()
    task:cancel()
    t:assert_eq(task:join(), 1)
end)

test("cancelling a task ends what it waited for", function(t)
    local dir = support.directory(vm, "task-cancel")
    local task = t:spawn(function() vm:run("echo $$ > " .. dir .. "/pid; exec sleep 60") end)
    wait_until(function() return vm:run("test -s " .. dir .. "/pid"):ok() end)
    task:cancel()
    support.wait_gone(vm, vm:read_file(dir .. "/pid"):match("%d+"))
end)

test("tasks may spawn tasks", function(t)
    local task = t:spawn(function()
        local inner = t:spawn(function() return vm:run("echo inner").stdout end)
        return inner:join()
    end)
    t:assert_eq(task:join(), "inner\n")
end)

test("co.wrap makes a function that starts tasks", function(t)
    local double = co.wrap(function(n)
        co.sleep("100ms")
        return n * 2
    end)
    local a, b = double(1), double(2)
    t:assert_eq(a:join() + b:join(), 6)
end)

test("tasks share the test's values", function(t)
    local order = {}
    local tasks = {}
    for i = 1, 5 do
        tasks[i] = t:spawn(function()
            co.yield()
            order[#order + 1] = i
        end)
    end
    for _, task in ipairs(tasks) do task:join() end
    t:assert_eq(support.sorted(order), { 1, 2, 3, 4, 5 })
end)

test("a hundred tasks talk to the guest at once", function(t)
    local tasks = {}
    for i = 1, 100 do tasks[i] = t:spawn(function() return vm:run("echo " .. i).stdout end) end
    for i, task in ipairs(tasks) do t:assert_eq(task:join(), i .. "\n") end
end)

test("an ordinary coroutine may wait inside", function(t)
    local make = coroutine.wrap(function()
        for i = 1, 3 do coroutine.yield(vm:run("echo " .. i).stdout) end
    end)
    t:assert_eq(make() .. make() .. make(), "1\n2\n3\n")
end)

test("pcall around what waits catches its errors", function(t)
    local ok, e = pcall(function()
        vm:run("true")
        vm:read_file("/no/such/file")
    end)
    t:assert_eq(ok, false)
    t:assert_eq(e.errname, "ENOENT")
end)

test("spawn wants a function", function(t)
    support.raises(t, { kind = "usage" }, function() t:spawn("not a function") end)
    support.raises(t, { kind = "usage" }, function() co.wrap(3) end)
end)

test("co.sleep wants a duration", function(t)
    support.raises(t, { kind = "usage" }, function() co.sleep("long") end)
    support.raises(t, { kind = "usage" }, function() co.sleep(-1) end)
    co.sleep(0)
    co.sleep("1ms")
end)
