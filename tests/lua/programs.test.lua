-- Programs of simulated guests, written in Lua. On a real guest provium.sim:program does nothing.
local support = require("support")
local sim = { backend = "sim" }

provium.sim:program("greet", function(p)
    p:write(1, "hello " .. (p.args[1] or "nobody") .. ", " .. #p.args .. "\n")
    return 0
end)

provium.sim:program("env-of", function(p)
    p:write(1, tostring(p.env[p.args[1]]) .. "\n")
end)

provium.sim:program("code", function(p) return tonumber(p.args[1]) end)

provium.sim:program("upper", function(p)
    while true do
        local data = p:read(0, 4096)
        if data == "" then return 0 end
        p:write(1, data:upper())
    end
end)

provium.sim:program("copy", function(p)
    local from = p:open(p.args[1], "r")
    local to = p:open(p.args[2], "w")
    while true do
        local data = p:read(from, 16)
        if data == "" then break end
        local at = 1
        while at <= #data do at = at + p:write(to, data:sub(at)) end
    end
    p:close(from)
    p:close(to)
    return 0
end)

provium.sim:program("append", function(p)
    local fd = p:open(p.args[1], "a")
    p:write(fd, p.args[2])
    p:close(fd)
end)

provium.sim:program("make", function(p)
    local fd = p:open(p.args[1], { write = true, create = true, exclusive = true, perm = 384 })
    p:write(fd, "made")
    p:close(fd)
end)

provium.sim:program("nap", function(p)
    p:sleep(p.args[1])
    p:write(1, "awake\n")
end)

provium.sim:program("raise", function() error("something broke") end)

provium.sim:program("open-missing", function(p)
    local ok, e = pcall(function() return p:open("/no/such/file", "r") end)
    p:write(1, tostring(ok) .. " " .. tostring(e.errname) .. "\n")
end)

provium.sim:program("catcher", function(p)
    local caught = {}
    p:on("TERM", function() caught[#caught + 1] = "TERM" end)
    p:on("USR1", function() caught[#caught + 1] = "USR1" end)
    p:write(1, "ready\n")
    while #caught < 2 do p:sleep("10s") end
    p:write(1, table.concat(caught, " ") .. "\n")
    return 3
end)

provium.sim:program("becomes", function(p)
    p:write(1, "before\n")
    p:exec("/bin/echo", { "after", "all" })
    p:write(1, "never\n")
end)

provium.sim:program("becomes-nothing", function(p)
    local ok, e = pcall(function() p:exec("/no/such/program", {}) end)
    p:write(1, tostring(ok) .. " " .. e.errname .. "\n")
    return 4
end)

provium.sim:program("spin", function(p)
    p:write(1, "ready\n")
    while true do end
end)

provium.sim:program("spin-in-pcall", function()
    while true do pcall(function() while true do end end) end
end)

provium.sim:program("sort-forever", function(p)
    p:write(1, "ready\n")
    while true do table.sort({ 3, 1, 2 }, function(a, b) return a < b end) end
end)

provium.sim:program("increment", function(p)
    local fd = p:open(p.args[1], "r")
    local n = tonumber(p:read(fd, 100))
    p:close(fd)
    fd = p:open(p.args[1], "w")
    p:write(fd, tostring(n + 1))
    p:close(fd)
end)

local vm = provium:vm("v", "linux"):boot()

test("a program is run by name, directly and from the shell", sim, function(t)
    t:assert_eq(vm:run("greet", { "you" }).stdout, "hello you, 1\n")
    t:assert_eq(vm:run("greet a b | cat").stdout, "hello a, 2\n")
    t:assert_eq(vm:run("for i in 1 2; do greet $i; done").stdout, "hello 1, 1\nhello 2, 1\n")
end)

test("a program has its environment", sim, function(t)
    t:assert_eq(vm:run("env-of COLOUR", { env = { COLOUR = "blue" } }).stdout, "blue\n")
    t:assert_eq(vm:run("env-of NOTHING").stdout, "nil\n")
end)

test("what a program returns is its exit code, nothing is 0", sim, function(t)
    for _, code in ipairs { 0, 1, 42, 255 } do
        t:assert_eq(vm:run("code", { tostring(code) }).exit_code, code)
    end
    t:assert_eq(vm:run("env-of X").exit_code, 0)
end)

test("a program reads its standard input to the end", sim, function(t)
    t:assert_eq(vm:run("upper", { args = {}, stdin = "some text\n" }).stdout, "SOME TEXT\n")
    t:assert_eq(vm:run("echo piped | upper | tr A-Z a-z").stdout, "piped\n")
end)

test("a program opens, reads, writes and closes files", sim, function(t)
    local dir = support.directory(vm, "programs-files")
    local data = ("0123456789abcdef!"):rep(20)
    vm:write_file(dir .. "/from", data)
    vm:run("copy from to", { cwd = dir }):assert_ok()
    t:assert_eq(vm:read_file(dir .. "/to"), data)
    vm:run("append to more", { cwd = dir }):assert_ok()
    t:assert_eq(vm:read_file(dir .. "/to"), data .. "more")
end)

test("a program opens with the modes of vm:open_file", sim, function(t)
    local dir = support.directory(vm, "programs-mode")
    vm:run("make f", { cwd = dir }):assert_ok()
    t:assert_eq(vm:stat(dir .. "/f").perm, 384)
    local again = vm:run("make f", { cwd = dir })
    t:assert(not again:ok())
    t:assert_contains(again.stderr, "EEXIST")
end)

test("a program sleeps in guest time", sim, function(t)
    local r = vm:run("nap 2s")
    t:assert_eq(r.stdout, "awake\n")
    t:assert(r.duration >= 2 and r.duration < 2.5, "duration " .. r.duration)
    t:assert(vm:run("nap 500ms").duration < 0.9)
end)

test("a program that raises says why and where, and fails", sim, function(t)
    local r = vm:run("raise")
    t:assert_neq(r.exit_code, 0)
    t:assert_contains(r.stderr, "something broke")
    t:assert_contains(r.stderr, "programs.test.lua:")
    t:assert(vm:run("echo fine"):ok())
end)

test("errors of the guest's system are raised with their names", sim, function(t)
    t:assert_eq(vm:run("open-missing").stdout, "false ENOENT\n")
end)

test("a program catches signals", sim, function(t)
    local p = vm:run_async("catcher", { args = {} })
    local out = support.ready(p)
    p:kill("TERM")
    co.sleep("10ms")
    p:kill("USR1")
    t:assert_eq(out:read_until("\n"), "TERM USR1\n")
    t:assert_eq(p:wait(10).exit_code, 3)
end)

test("a signal that a program does not catch ends it", sim, function(t)
    local p = vm:run_async("catcher", { args = {} })
    support.ready(p)
    p:kill("INT")
    t:assert_eq(p:wait(10).signal_name, "SIGINT")
end)

test("exec makes it another program", sim, function(t)
    t:assert_eq(vm:run("becomes").stdout, "before\nafter all\n")
    local nothing = vm:run("becomes-nothing")
    t:assert_eq(nothing.stdout, "false ENOENT\n")
    t:assert_eq(nothing.exit_code, 4)
end)

test("an endless loop can be killed", sim, function(t)
    local p = vm:run_async("spin", { args = {} })
    support.ready(p)
    t:assert_eq(p:state(), "running")
    t:assert_eq(vm:run("echo meanwhile").stdout, "meanwhile\n")
    p:kill("KILL")
    t:assert_eq(p:wait(10).signal_name, "SIGKILL")
end)

test("an endless loop meets its timeout", sim, function(t)
    t:assert_eq(vm:run("spin", { args = {}, timeout = "200ms" }).status, "timed_out")
    t:assert_eq(vm:run("spin-in-pcall", { args = {}, timeout = "200ms" }).status, "timed_out")
    t:assert_eq(vm:run("sort-forever", { args = {}, timeout = "200ms" }).status, "timed_out")
end)

test("programs run at the same time", sim, function(t)
    local a, b = vm:run_async("nap 1s"), vm:run_async("nap 1s")
    t:assert(a:wait(10).duration < 1.5)
    t:assert(b:wait(10).duration < 1.5)
end)

test("a program under a lock loses no increment", sim, function(t)
    local dir = support.directory(vm, "programs-lock")
    vm:write_file(dir .. "/n", "0")
    local running = {}
    for i = 1, 8 do running[i] = vm:run_async("flock lock increment n", { cwd = dir }) end
    for _, p in ipairs(running) do p:wait(20):assert_ok() end
    t:assert_eq(vm:read_file(dir .. "/n"), "8")
end)

test("a worker runs programs too", sim, function(t)
    t:assert_eq(vm:spawn_worker():run("greet", { "worker" }).stdout, "hello worker, 1\n")
end)

test("every guest has the programs", sim, function(t)
    t:assert_eq(provium:vm("other", "linux"):boot():run("greet there").stdout, "hello there, 1\n")
end)

test("programs are defined at the top level of a file", sim, function(t)
    t:assert_raises(function() provium.sim:program("late", function() end) end)
end)
