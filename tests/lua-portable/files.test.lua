-- What a test reads from its host: the same wherever the project lies, whoever checked it out and whatever their umask is.
local helper = require("tests.lua-portable.data.helper")
local vm = provium:vm("v", "linux"):boot()

test("files beside the test", function(t)
    local file <close> = assert(io.open("data/lines.txt"))
    t:assert_eq(tostring(file), "file (data/lines.txt)")
    t:assert_eq(file:read(), "first line")
    t:assert_eq({ file:read("n", "n", "n") }, { 42, 16.0, -5.0 })
    t:assert_eq(file:read("l", "L"), " none")
    t:assert_eq(file:read("a"), "last line without an end")
    local lines = {}
    for line in io.lines("data/lines.txt") do lines[#lines + 1] = line end
    t:assert_eq(#lines, 4)
    vm:write_file("/lines", table.concat(lines, "|"))
end)

test("files that are not there", function(t)
    for _, path in ipairs { "data/gone", "data", "data/lines.txt/x", "/dev/zero", "" } do
        local file, why, errno = io.open(path)
        t:assert_eq(file, nil)
        t:log(why .. " " .. errno)
        t:log(tostring(t:assert_raises(function() vm:push_file(path, "/x") end)))
        t:log(tostring(t:assert_raises(function() io.lines(path) end)))
    end
    t:log(tostring(t:assert_raises(function() require("data.gone") end)))
end)

test("pushed files keep whether they can be executed, and no more", function(t)
    vm:push_file("data/lines.txt", "/pushed")
    t:assert_eq(vm:stat("/pushed").perm, 420)
    vm:push_file("data/script.sh", "/pushed.sh")
    t:assert_eq(vm:stat("/pushed.sh").perm, 493)
    t:assert_eq(vm:run("/pushed.sh").stdout, "pushed\n")
end)

test("modules are named by where they lie in the project", function(t)
    t:assert_eq(helper.name, "tests.lua-portable.data.helper")
    t:assert_eq(helper.file, "tests/lua-portable/data/helper.lua")
    t:assert_contains(helper.trace(), "tests/lua-portable/data/helper.lua:")
    t:assert_contains(tostring(t:assert_raises(helper.fail)), "tests/lua-portable/data/helper.lua:")
    t:assert_eq(require("tests/lua-portable/data/helper"), helper)
end)
