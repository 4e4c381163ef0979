-- vm:run: how a command is started, what it is given, and what comes back.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("a string is a script for the shell", function(t)
    local r = vm:run("echo one; echo two | tr a-z A-Z")
    t:assert_eq(r.stdout, "one\nTWO\n")
    t:assert_eq(r.stderr, "")
    t:assert_eq(r.exit_code, 0)
    t:assert_eq(r.status, "exited")
end)

test("an array of arguments runs the program directly", function(t)
    t:assert_eq(vm:run("echo", { "$HOME", "a  b", "*" }).stdout, "$HOME a  b *\n")
end)

test("args among the options runs the program directly", function(t)
    t:assert_eq(vm:run("echo", { args = { "$((1 + 1))", ";" } }).stdout, "$((1 + 1)) ;\n")
end)

test("without args the options leave the command to the shell", function(t)
    t:assert_eq(vm:run("echo $((1 + 1))", { timeout = 10 }).stdout, "2\n")
end)

test("an empty args array is direct all the same", function(t)
    support.raises(t, { kind = "os", op = "run", errname = "ENOENT", says = "echo a" }, function()
        vm:run("echo a", { args = {} })
    end)
end)

test("arguments and output are bytes", function(t)
    local bytes = "\1\200\255 \xc3\xa9"
    t:assert_eq(vm:run("printf", { "%s", bytes }).stdout, bytes)
    t:assert_eq(vm:run([[printf 'a\000b\377']]).stdout, "a\0b\255")
end)

test("both outputs are kept apart", function(t)
    local r = vm:run("echo out; echo err >&2; echo out2")
    t:assert_eq(r.stdout, "out\nout2\n")
    t:assert_eq(r.stderr, "err\n")
end)

test("every exit code from 0 to 255 comes back", function(t)
    for _, code in ipairs { 0, 1, 2, 126, 127, 128, 137, 255 } do
        local r = vm:run("exit " .. code)
        t:assert_eq(r.exit_code, code)
        t:assert_eq(r.status, "exited")
    end
end)

test("a shell that cannot find a command says 127, one that may not run it 126", function(t)
    local dir = support.directory(vm, "run-126")
    local missing = vm:run("no-such-program-here")
    t:assert_eq(missing.exit_code, 127)
    t:assert_contains(missing.stderr, "not found")
    vm:write_file(dir .. "/plain", "echo no\n", { perm = 420 })
    t:assert_eq(vm:run(dir .. "/plain").exit_code, 126)
end)

test("a program that is not there raises ENOENT", function(t)
    local e = support.raises(t, { kind = "os", op = "run", vm = "v", errname = "ENOENT", errno = 2 }, function()
        vm:run("no-such-program-here", { "x" })
    end)
    t:assert_contains(e.message, "no-such-program-here")
    t:assert_match(e.message, "No such file or directory %(ENOENT%)$")
end)

test("a program that may not be executed raises EACCES", function(t)
    local dir = support.directory(vm, "run-eacces")
    vm:write_file(dir .. "/plain", "#!/bin/sh\n", { perm = 420 })
    support.raises(t, { kind = "os", errname = "EACCES" }, function() vm:run(dir .. "/plain", { args = {} }) end)
    support.raises(t, { kind = "os", errname = "EACCES" }, function() vm:run(dir, { args = {} }) end)
end)

test("a program that is no program raises ENOEXEC", function(t)
    local dir = support.directory(vm, "run-enoexec")
    vm:write_file(dir .. "/junk", "neither a script nor a binary\n", { perm = 493 })
    support.raises(t, { kind = "os", errname = "ENOEXEC" }, function() vm:run(dir .. "/junk", { args = {} }) end)
end)

test("a script with an interpreter line gets its arguments", function(t)
    local dir = support.directory(vm, "run-script")
    vm:write_file(dir .. "/script", '#!/bin/sh\necho "$#:$1:$2"\n', { perm = 493 })
    t:assert_eq(vm:run(dir .. "/script", { "a b", "c" }).stdout, "2:a b:c\n")
end)

test("variables are added to the environment", function(t)
    local r = vm:run('echo "$A-$B-${PATH:+path}"', { env = { A = "1", B = "two words" } })
    t:assert_eq(r.stdout, "1-two words-path\n")
end)

test("env_clear leaves only what is given", function(t)
    t:assert_eq(vm:run("env", { args = {}, env_clear = true, env = { ONLY = "this" } }).stdout, "ONLY=this\n")
    t:assert_eq(vm:run("env", { args = {}, env_clear = true }).stdout, "")
end)

test("the name of a variable can be neither empty nor hold an equals sign", function(t)
    support.raises(t, { kind = "usage", says = "A=B" }, function() vm:run("true", { env = { ["A=B"] = "x" } }) end)
    support.raises(t, { kind = "usage" }, function() vm:run("true", { env = { [""] = "x" } }) end)
    support.raises(t, { kind = "usage" }, function() vm:run("true", { env = { A = true } }) end)
end)

test("cwd is where the command starts", function(t)
    local dir = support.directory(vm, "run-cwd")
    t:assert_eq(vm:run("pwd", { cwd = dir }).stdout, dir .. "\n")
    t:assert_eq(vm:run("sh", { args = { "-c", "pwd" }, cwd = "/" }).stdout, "/\n")
end)

test("a cwd that is no directory raises", function(t)
    local dir = support.directory(vm, "run-cwd-bad")
    vm:write_file(dir .. "/file", "")
    support.raises(t, { kind = "os", errname = "ENOENT", says = dir .. "/nowhere" }, function()
        vm:run("true", { cwd = dir .. "/nowhere" })
    end)
    support.raises(t, { kind = "os", errname = "ENOTDIR" }, function() vm:run("true", { cwd = dir .. "/file" }) end)
end)

test("standard input is empty unless it is given", function(t)
    t:assert_eq(vm:run("cat; echo end").stdout, "end\n")
    t:assert_eq(vm:run("cat", { stdin = "" }).stdout, "")
end)

test("standard input is bytes, and ends", function(t)
    t:assert_eq(vm:run("cat", { stdin = "a\0\255\n" }).stdout, "a\0\255\n")
end)

test("standard input may be larger than a pipe", function(t)
    local r = vm:run("wc -c", { stdin = ("x"):rep(300000) })
    t:assert_eq(tonumber(r.stdout), 300000)
end)

test("a command need not read its standard input", function(t)
    t:assert_eq(vm:run("exit 3", { stdin = ("x"):rep(300000) }).exit_code, 3)
    t:assert_eq(vm:run("head -c 1", { stdin = ("x"):rep(300000) }).stdout, "x")
end)

test("a result waits for children that hold the output", function(t)
    local r = vm:run("(sleep 0.3; echo late) & echo early")
    t:assert_eq(r.stdout, "early\nlate\n")
    t:assert(r.duration >= 0.3, "duration " .. r.duration)
end)

test("a result does not wait for children that hold no output", function(t)
    local r = vm:run("sleep 5 >/dev/null 2>&1 & echo $!")
    t:assert(r.duration < 5, "duration " .. r.duration)
    vm:run("kill -9 " .. r.stdout)
end)

test("the guest's shell knows its own process", function(t)
    local r = vm:run("echo $$; sh -c 'echo $PPID'; :")
    local first, second = r.stdout:match("^(%d+)\n(%d+)\n$")
    t:assert_eq(first, second)
end)

test("commands run one after another see each other's files", function(t)
    local dir = support.directory(vm, "run-order")
    for i = 1, 20 do
        vm:run("echo " .. i .. " >> " .. dir .. "/log"):assert_ok()
    end
    t:assert_eq(vm:run("tail -n 1 " .. dir .. "/log").stdout, "20\n")
    t:assert_eq(vm:run("wc -l < " .. dir .. "/log").stdout:match("%d+"), "20")
end)
