-- exit: 1
-- says: timed out after 2s
-- says: run("sleep 60")
-- says: 1 failed
-- says: 1 passed
-- A test that times out fails by itself: what it started is ended, the next test finds the guest usable.
local vm = provium:vm("v", "linux"):boot()
local pid

test("waits too long", { timeout = "2s" }, function()
    local p = vm:run_async("sleep 1000")
    pid = p:pid()
    vm:run("sleep 60")
end)

test("the guest is as usable as before", function(t)
    t:assert_eq(vm:run("echo alive").stdout, "alive\n")
    t:assert_eq(vm:run("kill -0 " .. pid):ok(), false)
end)
