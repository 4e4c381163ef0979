-- exit: 1
-- says: 3
-- says: some output
-- says: some trouble
-- says: assert_ok_fails.test.lua:9
-- assert_ok shows the status and both outputs.
test("fails", function()
    local vm = provium:vm("v", "linux"):boot()
    vm:run("echo some output; echo some trouble >&2; exit 3"):assert_ok()
end)
