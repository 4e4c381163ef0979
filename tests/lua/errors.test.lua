-- Errors are values with fields, and read well.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("an error of the guest's system has all its fields", function(t)
    local e = t:assert_raises(function() vm:open_file("/no/such/file", { read = true }) end)
    t:assert_eq(e.kind, "os")
    t:assert_eq(e.op, "open_file")
    t:assert_eq(e.vm, "v")
    t:assert_eq(e.errno, 2)
    t:assert_eq(e.errname, "ENOENT")
    t:assert_match(e.message, "/no/such/file.*No such file or directory %(ENOENT%)$")
end)

test("tostring is one line with the Lua file and line", function(t)
    local line
    local e = t:assert_raises(function()
        line = support.line() + 1
        vm:read_file("/no/such/file")
    end)
    local text = tostring(e)
    t:assert_contains(text, "errors.test.lua:" .. line .. ":")
    t:assert_contains(text, e.message)
    t:assert(not text:find("\n"), text)
end)

test("an error of another kind has no errno", function(t)
    local e = t:assert_raises(function() vm:run("true", { nonsense = 1 }) end)
    t:assert_eq(e.kind, "usage")
    t:assert_eq(e.op, "run")
    t:assert_eq(e.errno, nil)
    t:assert_eq(e.errname, nil)
end)

test("a timeout is told from other errors", function(t)
    local w = vm:spawn_worker()
    w:run_async("exec sleep 60")
    local e = t:assert_raises(function() w:join("100ms") end)
    t:assert_eq(e.kind, "timeout")
    t:assert_eq(e.op, "join")
    t:assert_eq(e.vm, "v")
end)

test("an error can be raised again and keeps its fields", function(t)
    local e = t:assert_raises(function()
        local ok, inner = pcall(function() vm:read_file("/no/such/file") end)
        t:assert_eq(ok, false)
        error(inner, 0)
    end)
    t:assert_eq(e.errname, "ENOENT")
end)

test("an error joins strings", function(t)
    local e = t:assert_raises(function() vm:read_file("/no/such/file") end)
    t:assert_contains("it failed: " .. e, "it failed: ")
    t:assert_contains("it failed: " .. e, "ENOENT")
end)

test("the wrong object says so", function(t)
    local f = vm:open_file("/etc/passwd", { read = true })
    t:assert_raises(function() f.read(vm, 1) end)
    t:assert_raises(function() f.read(nil, 1) end)
end)

test("an ordinary Lua error is what it is", function(t)
    local e = t:assert_raises(function() error("plain", 0) end)
    t:assert_eq(e, "plain")
    local indexed = t:assert_raises(function() return (nil).field end)
    t:assert_contains(tostring(indexed), "attempt to index a nil value")
end)

test("errors may be any value", function(t)
    t:assert_eq(t:assert_raises(function() error(42) end), 42)
    local thrown = { code = 7 }
    t:assert_eq(t:assert_raises(function() error(thrown) end), thrown)
    t:assert_eq(t:assert_raises(function() error() end), nil)
end)

test("the names of errors are those of Linux", function(t)
    for name, number in pairs { EPERM = 1, EINTR = 4, EIO = 5, EPIPE = 32, ENOTEMPTY = 39, ELOOP = 40, ETIMEDOUT = 110 } do
        t:assert_eq(provium.errno[name], number)
    end
end)
