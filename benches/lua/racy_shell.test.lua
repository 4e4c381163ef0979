-- The same race between two shells.
test("a lost update", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/n", "0")
    local add = "read n < /tmp/n; echo $((n + 1)) > /tmp/n"
    local a = vm:spawn_worker():run_async(add)
    local b = vm:spawn_worker():run_async(add)
    a:wait():assert_ok()
    b:wait():assert_ok()
    t:assert_eq(vm:read_file("/tmp/n"), "2\n")
end)
