-- Locks: f:lock, f:unlock, flock(1), fcntl locks.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

local function two_files(name)
    local path = support.directory(vm, name) .. "/lock"
    vm:write_file(path, "")
    local mode = { read = true, write = true }
    return vm:open_file(path, mode), vm:open_file(path, mode), path
end

test("an exclusive lock keeps others out", function(t)
    local one, two = two_files("lock-exclusive")
    one:lock("exclusive")
    support.raises(t, { kind = "os", op = "lock", errname = "EAGAIN" }, function() two:lock("exclusive", { block = false }) end)
    support.raises(t, { kind = "os", errname = "EAGAIN" }, function() two:lock("shared", { block = false }) end)
    one:unlock()
    two:lock("exclusive", { block = false })
end)

test("shared locks go together, an exclusive one does not", function(t)
    local one, two, path = two_files("lock-shared")
    one:lock("shared")
    two:lock("shared", { block = false })
    local three = vm:open_file(path, { read = true })
    support.raises(t, { errname = "EAGAIN" }, function() three:lock("exclusive", { block = false }) end)
    one:unlock()
    two:unlock()
    three:lock("exclusive", { block = false })
end)

test("a lock that blocks is had when the other is done", function(t)
    local one, two = two_files("lock-block")
    one:lock("exclusive")
    local waiter = t:spawn(function()
        two:lock("exclusive")
        return "mine"
    end)
    co.sleep("200ms")
    t:assert_eq(waiter:done(), false)
    one:unlock()
    t:assert_eq(waiter:join(10), "mine")
end)

test("closing a file gives its lock up", function(t)
    local one, two = two_files("lock-close")
    one:lock("exclusive", { block = true })
    one:close()
    two:lock("exclusive", { block = false })
end)

test("a lock can be changed from one kind to the other", function(t)
    local one, two = two_files("lock-convert")
    one:lock("exclusive")
    one:lock("shared")
    two:lock("shared", { block = false })
    support.raises(t, { errname = "EAGAIN" }, function() one:lock("exclusive", { block = false }) end)
end)

test("locking twice is fine, unlocking what is not locked too", function(t)
    local one = two_files("lock-twice")
    one:unlock()
    one:lock("exclusive")
    one:lock("exclusive")
    one:unlock()
    one:unlock()
end)

test("a kind of lock that does not exist is refused", function(t)
    local one = two_files("lock-kind")
    support.raises(t, { kind = "usage", says = { "write", "shared", "exclusive" } }, function() one:lock("write") end)
    support.raises(t, { kind = "usage", says = { "blocking", "block" } }, function()
        one:lock("shared", { blocking = true })
    end)
end)

test("a command and a file keep each other out", function(t)
    local one, _, path = two_files("lock-command")
    one:lock("exclusive")
    t:assert_eq(vm:run("flock -n " .. path .. " echo in").exit_code, 1)
    one:unlock()
    t:assert_eq(vm:run("flock -n " .. path .. " echo in").stdout, "in\n")
    local p = vm:run_async("flock " .. path .. " sh -c 'echo ready; sleep 60'")
    support.ready(p)
    support.raises(t, { errname = "EAGAIN" }, function() one:lock("shared", { block = false }) end)
    p:kill("KILL", { group = true })
    p:wait(10)
    one:lock("exclusive")
end)

test("a command waits for the lock", function(t)
    local one, _, path = two_files("lock-command-waits")
    one:lock("exclusive")
    local p = vm:run_async("flock " .. path .. " echo in")
    t:assert_eq(p:wait { timeout = "300ms", kill = false }, nil)
    one:unlock()
    t:assert_eq(p:wait(10).stdout, "in\n")
end)

test("a descriptor that is inherited shares the lock", function(t)
    local path = support.directory(vm, "lock-inherit") .. "/lock"
    local script = "exec 9>" .. path .. "; flock -n 9 && (flock -n 9 && echo shared); flock -n " .. path .. " true || echo kept out"
    t:assert_eq(vm:run(script).stdout, "shared\nkept out\n")
end)

test("fcntl locks belong to the process, not to the descriptor", function(t)
    local one, two = two_files("lock-fcntl")
    local F_SETLK, F_WRLCK = 6, 1
    local flock = string.pack("i2 i2 i4 i8 i8 i4 i4", F_WRLCK, 0, 0, 0, 0, 0, 0)
    local function lock(file)
        return vm:syscall("fcntl", { args = { file:fd(), F_SETLK, 0 }, bufs = { flock }, ptrs = { 2 } })
    end
    t:assert_eq(lock(one).ret, 0)
    t:assert_eq(lock(two).ret, 0)
    -- And they know nothing of flock.
    two:lock("exclusive", { block = false })
end)
