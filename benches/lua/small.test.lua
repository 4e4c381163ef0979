-- One guest, one command: the least that a useful test does.
test("a command writes what it is told", function(t)
    local vm = provium:vm("v", "linux"):boot()
    t:assert_eq(vm:run("echo hello"):assert_ok().stdout, "hello\n")
end)
