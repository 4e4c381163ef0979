-- A signal is sent to a process that is to catch it: has it said so to the kernel already?
local script = "trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done"

test("wrong", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local p = vm:run_async(script)
    -- Surely it is ready after this.
    for _ = 1, 4 do vm:stat("/etc/passwd") end
    p:kill("USR1")
    t:assert_eq(p:wait().exit_code, 7)
end)

test("right", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local p = vm:run_async(script)
    p:stdout_stream():expect("ready\n")
    p:kill("USR1")
    t:assert_eq(p:wait().exit_code, 7)
end)
