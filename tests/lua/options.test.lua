-- Options are strict: an unknown key, a wrong type, a bad duration, size or signal is an error that names it.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("an unknown option is named, and the valid ones are listed", function(t)
    support.raises(t, { kind = "usage", says = { "timout", "timeout", "max_output", "cwd" } }, function()
        vm:run("true", { timout = 1 })
    end)
end)

test("each call lists its own options", function(t)
    support.raises(t, { kind = "usage", says = { "exclusiv", "exclusive", "truncate" } }, function()
        vm:open_file("/tmp/x", { write = true, exclusiv = true })
    end)
    support.raises(t, { kind = "usage", says = { "parent", "parents", "perm" } }, function()
        vm:mkdir("/tmp/x", { parent = true })
    end)
    support.raises(t, { kind = "usage", says = { "mode", "perm", "append" } }, function()
        vm:write_file("/tmp/x", "", { mode = 1 })
    end)
    support.raises(t, { kind = "usage", says = { "from", "start" } }, function()
        vm:tail_file("/etc/passwd", { from = 1 })
    end)
end)

test("an option of the wrong type is named with the type it got", function(t)
    support.raises(t, { kind = "usage", says = { "cwd", "boolean" } }, function() vm:run("true", { cwd = true }) end)
    support.raises(t, { kind = "usage", says = { "env_clear", "string" } }, function()
        vm:run("true", { env_clear = "yes" })
    end)
    support.raises(t, { kind = "usage", says = { "args", "string" } }, function() vm:run("true", { args = "-x" }) end)
    support.raises(t, { kind = "usage", says = { "timeout", "table" } }, function() vm:run("true", { timeout = {} }) end)
end)

test("array entries beside keys are refused", function(t)
    support.raises(t, { kind = "usage", says = "[1]" }, function() vm:run("echo", { "a", timeout = 1 }) end)
    support.raises(t, { kind = "usage" }, function() vm:open_file("/tmp/x", { "read" }) end)
end)

test("options must be a table", function(t)
    support.raises(t, { kind = "usage", says = "string" }, function() vm:run("true", "fast") end)
    support.raises(t, { kind = "usage", says = "number" }, function() vm:open_file("/tmp/x", 4) end)
end)

test("an array of arguments holds strings only", function(t)
    support.raises(t, { kind = "usage", says = "boolean" }, function() vm:run("echo", { "a", true }) end)
    support.raises(t, { kind = "usage", says = "table" }, function() vm:run("echo", { args = { {} } }) end)
end)

test("a command must be a string", function(t)
    support.raises(t, { kind = "usage" }, function() vm:run() end)
    support.raises(t, { kind = "usage", says = "table" }, function() vm:run({ "echo" }) end)
end)

test("durations have units, numbers are seconds", function(t)
    for _, forever in ipairs { 60, 60.5, "60s", "60000ms", "1m", "1h", "1.5m" } do
        t:assert(vm:run("true", { timeout = forever }):ok(), tostring(forever))
    end
end)

test("a bad duration is shown with the forms that are good", function(t)
    for _, bad in ipairs { "soon", "10", "-1s", "1d", "", "1 s" } do
        support.raises(t, { kind = "usage", says = { "`" .. bad .. "`", '"500ms"' } }, function()
            vm:run("true", { timeout = bad })
        end)
    end
    for _, bad in ipairs { -1, -0.5, 0 / 0, 1 / 0, -1 / 0 } do
        support.raises(t, { kind = "usage", says = { "duration", '"500ms"' } }, function()
            vm:run("true", { timeout = bad })
        end)
    end
end)

test("a bad size is shown with the forms that are good", function(t)
    for _, bad in ipairs { "big", "1.5K", "-1", "1KB", "" } do
        support.raises(t, { kind = "usage", says = "`" .. bad .. "`" }, function()
            vm:run("true", { max_output = bad })
        end)
    end
    support.raises(t, { kind = "usage", says = "-5" }, function() vm:run("true", { max_output = -5 }) end)
end)

test("timeout and timeout_ms together are refused", function(t)
    support.raises(t, { kind = "usage", says = "timeout_ms" }, function()
        vm:run("true", { timeout = 1, timeout_ms = 1000 })
    end)
end)

test("signal names are taken in any case, with or without SIG, or as digits", function(t)
    for _, signal in ipairs { "USR1", "usr1", "SIGUSR1", "SigUsr1", "10", 10 } do
        local p = vm:run_async("exec sleep 60")
        t:assert_eq(p:kill(signal), true)
        t:assert_eq(p:wait(10).signal_name, "SIGUSR1")
    end
end)

test("every Linux signal is known", function(t)
    local p = vm:run_async("exec sleep 60")
    for _, signal in ipairs { "CHLD", "CONT", "URG", "WINCH" } do
        t:assert_eq(p:kill(signal), true)
    end
    p:kill("RTMIN+1")
    t:assert_eq(p:wait(10).signal, 35)
end)

test("an unknown signal name is shown", function(t)
    local p = vm:run_async("exec sleep 60")
    for _, bad in ipairs { "TERMINATE", "SIG", "", "USR3", "0", "65" } do
        support.raises(t, { kind = "usage", says = "unknown signal name `" .. bad .. "`" }, function() p:kill(bad) end)
    end
    t:assert_eq(p:status(), "running")
end)

test("a signal of another type is refused by the type's name", function(t)
    local p = vm:run_async("exec sleep 60")
    support.raises(t, { kind = "usage", says = "expected integer or signal name, got table" }, function() p:kill({}) end)
    support.raises(t, { kind = "usage", says = "expected integer or signal name, got boolean" }, function()
        p:kill(true)
    end)
    support.raises(t, { kind = "usage", says = "expected integer or signal name, got function" }, function()
        p:kill(print)
    end)
    t:assert_eq(p:status(), "running")
end)

test("a signal number out of range is refused", function(t)
    local p = vm:run_async("exec sleep 60")
    for _, bad in ipairs { 0, -9, 65, 1000 } do
        support.raises(t, { kind = "usage", says = tostring(bad) }, function() p:kill(bad) end)
    end
    t:assert_eq(p:status(), "running")
end)

test("a path with a NUL byte is refused", function(t)
    support.raises(t, { kind = "usage", says = "NUL" }, function() vm:read_file("/tmp/a\0b") end)
    support.raises(t, { kind = "usage", says = "NUL" }, function() vm:run("echo", { "a\0b" }) end)
    support.raises(t, { kind = "usage", says = "NUL" }, function() vm:run("echo a\0b") end)
end)

test("a method called without a colon says so", function(t)
    local e = t:assert_raises(function() vm.run("true") end)
    t:assert_contains(tostring(e), "colon")
end)

test("too many arguments are refused", function(t)
    support.raises(t, { kind = "usage" }, function() vm:read_file("/etc/passwd", "extra") end)
    support.raises(t, { kind = "usage" }, function() vm:unlink("/tmp/a", "/tmp/b") end)
end)
