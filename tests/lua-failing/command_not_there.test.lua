-- exit: 1
-- says: 127
-- says: provium.sim:program
-- says: qemu
-- A command that the simulated guest lacks: the report says so, and what to do.
test("runs what is not there", function()
    local vm = provium:vm("v", "linux"):boot()
    vm:run("no-such-program --version"):assert_ok()
end)
