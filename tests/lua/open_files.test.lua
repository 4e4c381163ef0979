-- An agent without descriptors left: what needs one says so, and all is well again when some are closed.
local support = require("support")

local RLIMIT_NOFILE = 7

--- Lets the agent, whose raw system calls these are, have so many open files. Returns the limits that it had.
local function limit_files(vm, soft, hard)
    local before = vm:syscall("prlimit64", { args = { 0, RLIMIT_NOFILE, 0, 0 }, bufs = { ("\0"):rep(16) }, ptrs = { 3 } })
    local wanted = vm:syscall("prlimit64", { args = { 0, RLIMIT_NOFILE, 0, 0 }, bufs = { string.pack("<I8I8", soft, hard) }, ptrs = { 2 } })
    assert(before.ret == 0 and wanted.ret == 0)
    return string.unpack("<I8I8", before.out_bufs[1])
end

test("two thousand files can be open", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local files = vm:batch(function(b)
        for _ = 1, 2000 do b:open_file("/tmp/shared", { write = true, append = true, create = true }) end
    end)
    t:assert_eq(vm:open_file_count(), 2000)
    files[2000].ok:write("last")
    files[1].ok:write("first")
    t:assert_eq(vm:read_file("/tmp/shared"), "lastfirst")
    -- What the agent may have is not what its programs may have.
    t:assert_eq(vm:run("ulimit -n"):assert_ok().stdout, "1024\n")
end)

test("no descriptor is left", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:write_file("/tmp/data", "data")
    local reader = vm:spawn_worker()
    local cat = vm:run_async("exec cat")
    local _, hard = limit_files(vm, 64, 65536)
    local files = {}
    local e = t:assert_raises(function()
        for i = 1, 100 do
            files[i] = vm:open_file("/tmp/data", { read = true })
        end
    end)
    t:assert_eq(e.kind, "os")
    t:assert_eq(e.errname, "EMFILE")
    t:assert(#files > 30)
    for name, call in pairs({
        run = function() vm:run("true") end,
        run_async = function() reader:run_async("true") end,
        read_file = function() vm:read_file("/tmp/data") end,
        write_file = function() vm:write_file("/tmp/other", "data") end,
        listdir = function() vm:listdir("/tmp") end,
        tail_file = function() vm:tail_file("/tmp/data") end,
    }) do
        t:assert_eq(support.raises(t, { kind = "os" }, call).errname, "EMFILE", name)
    end
    -- What is open goes on, and so does what needs no descriptor.
    t:assert_eq(files[1]:read(10), "data")
    t:assert_eq(vm:stat("/tmp/data").size, 4)
    cat:stdin_write("through\n")
    t:assert_eq(cat:stdout_stream():expect("\n"), "through\n")

    for _, file in ipairs(files) do file:close() end
    t:assert_eq(vm:run("echo again"):assert_ok().stdout, "again\n")
    t:assert_eq(vm:read_file("/tmp/data"), "data")
    t:assert(hard >= 64)
end)
