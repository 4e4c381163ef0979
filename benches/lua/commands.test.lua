-- What a test of a real guest mostly does: small commands and files.
test("commands and files", function(t)
    local vm = provium:vm("v", "linux"):boot()
    for n = 1, 100 do
        vm:write_file("/tmp/n", tostring(n))
        t:assert_eq(vm:run("cat /tmp/n"):assert_ok().stdout, tostring(n))
        t:assert_eq(vm:read_file("/tmp/n"), tostring(n))
    end
end)
