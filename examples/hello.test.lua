test("a file keeps what is written to it", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/greeting", "hello\n")

    local result = vm:run("tr a-z A-Z < /tmp/greeting")

    result:assert_ok()
    t:assert_eq(result.stdout, "HELLO\n")
end)
