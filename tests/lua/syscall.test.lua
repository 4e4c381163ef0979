-- Raw system calls: both forms, names, pointers, errors.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()
local errno = provium.errno

test("a call by number or by name returns its result", function(t)
    local by_number, by_name = vm:syscall(39), vm:syscall("getpid")
    t:assert_eq(by_number.ret, by_name.ret)
    t:assert(by_name.ret > 0)
    t:assert_eq(by_name.result, by_name.ret)
    t:assert_eq(by_name.errno, 0)
    t:assert_eq(by_name.out_bufs, {})
end)

test("a call that fails has ret -1 and its errno", function(t)
    local r = vm:syscall("close", 9999)
    t:assert_eq(r.ret, -1)
    t:assert_eq(r.errno, errno.EBADF)
    t:assert_eq(vm:syscall("dup", -1).errno, errno.EBADF)
end)

test("a number that is no call answers ENOSYS", function(t)
    t:assert_eq(vm:syscall(100000).errno, errno.ENOSYS)
end)

test("a name that is no call is refused", function(t)
    support.raises(t, { kind = "usage", says = "get_pid" }, function() vm:syscall("get_pid") end)
    support.raises(t, { kind = "usage" }, function() vm:syscall(-1) end)
    support.raises(t, { kind = "usage" }, function() vm:syscall() end)
    support.raises(t, { kind = "usage" }, function() vm:syscall({}) end)
end)

test("more than six arguments are refused", function(t)
    t:assert_raises(function() vm:syscall("getpid", 1, 2, 3, 4, 5, 6, 7) end)
    support.raises(t, { kind = "usage", says = "6" }, function()
        vm:syscall("getpid", { args = { 1, 2, 3, 4, 5, 6, 7 } })
    end)
end)

test("arguments are integers", function(t)
    support.raises(t, { kind = "usage", says = "string" }, function() vm:syscall("close", "3") end)
    support.raises(t, { kind = "usage", says = "1.5" }, function() vm:syscall("close", 1.5) end)
    support.raises(t, { kind = "usage", says = "args" }, function() vm:syscall("close", { args = { true } }) end)
    support.raises(t, { kind = "usage", says = { "argv", "args", "bufs", "ptrs" } }, function()
        vm:syscall("close", { argv = { 3 } })
    end)
end)

test("all bits of an argument arrive", function(t)
    -- An offset of 2^40 + 5, and a negative one.
    local f = vm:open_file(support.directory(vm, "syscall-bits") .. "/f", { write = true, create = true })
    t:assert_eq(vm:syscall("lseek", f:fd(), (1 << 40) + 5, 0).ret, (1 << 40) + 5)
    t:assert_eq(vm:syscall("lseek", f:fd(), -5, 1).ret, 1 << 40)
    t:assert_eq(vm:syscall("lseek", f:fd(), math.mininteger, 0).errno, errno.EINVAL)
end)

test("a buffer's address goes where ptrs says", function(t)
    local path = support.directory(vm, "syscall-open") .. "/f"
    local O_RDWR_CREAT = 66
    local opened = vm:syscall("open", { args = { 0, O_RDWR_CREAT, 420 }, bufs = { path .. "\0" }, ptrs = { 0 } })
    t:assert(opened.ret > 2)
    t:assert_eq(vm:syscall("write", { args = { opened.ret, 0, 5 }, bufs = { "hello" }, ptrs = { 1 } }).ret, 5)
    t:assert_eq(vm:syscall("close", opened.ret).ret, 0)
    t:assert_eq(vm:read_file(path), "hello")
end)

test("what the kernel wrote comes back in out_bufs", function(t)
    local path = support.directory(vm, "syscall-read") .. "/f"
    vm:write_file(path, "0123456789")
    local f = vm:open_file(path, { read = true })
    local r = vm:syscall("pread64", { args = { f:fd(), 0, 4, 3 }, bufs = { "......" }, ptrs = { 1 } })
    t:assert_eq(r.ret, 4)
    t:assert_eq(r.out_bufs, { "3456.." })
end)

test("several buffers go to several arguments", function(t)
    local dir = support.directory(vm, "syscall-rename")
    vm:write_file(dir .. "/a", "x")
    local r = vm:syscall("rename", { args = { 0, 0 }, bufs = { dir .. "/a\0", dir .. "/b\0" }, ptrs = { 0, 1 } })
    t:assert_eq(r.ret, 0)
    t:assert_eq(#r.out_bufs, 2)
    t:assert_eq(vm:read_file(dir .. "/b"), "x")
end)

test("a buffer may hold the addresses of others", function(t)
    local path = support.directory(vm, "syscall-writev") .. "/f"
    local f = vm:open_file(path, { write = true, create = true })
    local vector = string.pack("<i8i8i8i8", 0, 5, 0, 6)
    local r = vm:syscall("writev", {
        args = { f:fd(), 0, 2 },
        bufs = { vector, "hello", " world" },
        ptrs = { 1, { buf = 0, offset = 0 }, { buf = 0, offset = 16 } },
    })
    t:assert_eq(r.ret, 11)
    t:assert_eq(vm:read_file(path), "hello world")
end)

test("a slot out of range is refused", function(t)
    support.raises(t, { kind = "usage", says = "6" }, function()
        vm:syscall("read", { args = { 0 }, bufs = { "x" }, ptrs = { 6 } })
    end)
    support.raises(t, { kind = "usage" }, function() vm:syscall("read", { args = { 0 }, bufs = { "x" }, ptrs = { -1 } }) end)
    support.raises(t, { kind = "usage" }, function() vm:syscall("read", { args = { 0 }, bufs = {}, ptrs = { 1 } }) end)
    support.raises(t, { kind = "usage", says = "bufs" }, function()
        vm:syscall("read", { args = { 0 }, bufs = { 5 }, ptrs = { 1 } })
    end)
end)

test("an address that is no address is EFAULT", function(t)
    local f = vm:open_file("/etc/passwd", { read = true })
    t:assert_eq(vm:syscall("read", f:fd(), 1, 10).errno, errno.EFAULT)
    t:assert_eq(vm:syscall("open", 0, 0, 0).errno, errno.EFAULT)
end)

test("a pipe moves bytes, and has an end", function(t)
    local made = vm:syscall("pipe2", { args = { 0, 0 }, bufs = { ("\0"):rep(8) }, ptrs = { 0 } })
    t:assert_eq(made.ret, 0)
    local r, w = string.unpack("<i4i4", made.out_bufs[1])
    t:assert_eq(vm:syscall("write", { args = { w, 0, 3 }, bufs = { "abc" }, ptrs = { 1 } }).ret, 3)
    t:assert_eq(vm:syscall("close", w).ret, 0)
    local read = { args = { r, 0, 8 }, bufs = { ("."):rep(8) }, ptrs = { 1 } }
    t:assert_eq(vm:syscall("read", read).out_bufs[1], "abc.....")
    t:assert_eq(vm:syscall("read", read).ret, 0)
    vm:syscall("close", r)
end)

test("a pipe that is set not to block says EAGAIN, and writes what fits", function(t)
    local O_NONBLOCK = 2048
    local made = vm:syscall("pipe2", { args = { 0, O_NONBLOCK }, bufs = { ("\0"):rep(8) }, ptrs = { 0 } })
    local r, w = string.unpack("<i4i4", made.out_bufs[1])
    t:assert_eq(vm:syscall("read", { args = { r, 0, 1 }, bufs = { "." }, ptrs = { 1 } }).errno, errno.EAGAIN)
    local big = { args = { w, 0, 100000 }, bufs = { ("x"):rep(100000) }, ptrs = { 1 } }
    local total = 0
    while true do
        local moved = vm:syscall("write", big)
        if moved.ret < 0 then
            t:assert_eq(moved.errno, errno.EAGAIN)
            break
        end
        total = total + moved.ret
    end
    -- A write may be short, and what is left of a page that the next one does not fit into stays empty: pipe(7).
    t:assert(total > 32768 and total <= 65536, "the pipe took " .. total)
    vm:syscall("close", r)
    vm:syscall("close", w)
end)

test("dup shares the position", function(t)
    local path = support.directory(vm, "syscall-dup") .. "/f"
    vm:write_file(path, "0123456789")
    local f = vm:open_file(path, { read = true })
    local copy = vm:syscall("dup", f:fd()).ret
    f:read(4)
    t:assert_eq(vm:syscall("lseek", copy, 0, 1).ret, 4)
    vm:syscall("close", copy)
    t:assert_eq(f:tell(), 4)
end)

test("getcwd, chdir and umask are the thread's to ask", function(t)
    local w = vm:spawn_worker()
    local r = w:syscall("getcwd", { args = { 0, 64 }, bufs = { ("\0"):rep(64) }, ptrs = { 0 } })
    t:assert(r.ret > 1)
    t:assert_eq(r.out_bufs[1]:sub(1, 1), "/")
    local old = w:syscall("umask", 63).ret
    t:assert_eq(w:syscall("umask", old).ret, 63)
end)

test("uname says Linux", function(t)
    local r = vm:syscall("uname", { args = { 0 }, bufs = { ("\0"):rep(390) }, ptrs = { 0 } })
    t:assert_eq(r.ret, 0)
    t:assert_eq(r.out_bufs[1]:match("^[^\0]+"), "Linux")
    t:assert_eq(r.out_bufs[1]:sub(4 * 65 + 1):match("^[^\0]+"), "x86_64")
end)

test("clock_gettime and nanosleep pass guest time", function(t)
    local function now()
        local r = vm:syscall("clock_gettime", { args = { 1, 0 }, bufs = { ("\0"):rep(16) }, ptrs = { 1 } })
        local s, ns = string.unpack("<i8i8", r.out_bufs[1])
        return s + ns / 1e9
    end
    local before = now()
    local r = vm:syscall("nanosleep", { args = { 0, 0 }, bufs = { string.pack("<i8i8", 0, 300000000) }, ptrs = { 0 } })
    t:assert_eq(r.ret, 0)
    local took = now() - before
    t:assert(took >= 0.3 and took < 20, "took " .. took)
end)

test("getrandom fills the buffer", function(t)
    local function draw()
        return vm:syscall("getrandom", { args = { 0, 32, 0 }, bufs = { ("\0"):rep(32) }, ptrs = { 0 } }).out_bufs[1]
    end
    local first = draw()
    t:assert_neq(first, ("\0"):rep(32))
    t:assert_neq(first, draw())
end)

test("kill with signal 0 asks whether a process is there", function(t)
    local p = vm:run_async("exec sleep 60")
    t:assert_eq(vm:syscall("kill", p:pid(), 0).ret, 0)
    p:kill("KILL")
    p:wait(10)
    t:assert_eq(vm:syscall("kill", p:pid(), 0).errno, errno.ESRCH)
    t:assert_eq(vm:syscall("kill", vm:syscall("getpid").ret, 100).errno, errno.EINVAL)
end)

test("poll waits for a pipe and times out", function(t)
    local made = vm:syscall("pipe2", { args = { 0, 0 }, bufs = { ("\0"):rep(8) }, ptrs = { 0 } })
    local r, w = string.unpack("<i4i4", made.out_bufs[1])
    local POLLIN = 1
    local poll = { args = { 0, 1, 100 }, bufs = { string.pack("<i4i2i2", r, POLLIN, 0) }, ptrs = { 0 } }
    t:assert_eq(vm:syscall("poll", poll).ret, 0)
    vm:syscall("write", { args = { w, 0, 1 }, bufs = { "x" }, ptrs = { 1 } })
    local ready = vm:syscall("poll", poll)
    t:assert_eq(ready.ret, 1)
    t:assert_eq(select(3, string.unpack("<i4i2i2", ready.out_bufs[1])), POLLIN)
    vm:syscall("close", r)
    vm:syscall("close", w)
end)

test("a fifo without a reader cannot be opened for writing without waiting", function(t)
    local path = support.directory(vm, "syscall-enxio") .. "/fifo"
    vm:run("mkfifo " .. path):assert_ok()
    local O_WRONLY_NONBLOCK = 2049
    local r = vm:syscall("open", { args = { 0, O_WRONLY_NONBLOCK }, bufs = { path .. "\0" }, ptrs = { 0 } })
    t:assert_eq(r.errno, errno.ENXIO)
end)

test("the data and holes of a sparse file can be sought", function(t)
    local f = vm:open_file(support.directory(vm, "syscall-holes") .. "/f", { write = true, create = true })
    f:seek(1 << 20, "set")
    f:write_all("data")
    local SEEK_DATA, SEEK_HOLE = 3, 4
    t:assert_eq(vm:syscall("lseek", f:fd(), 0, SEEK_HOLE).ret, 0)
    t:assert_eq(vm:syscall("lseek", f:fd(), 0, SEEK_DATA).ret, 1 << 20)
    t:assert_eq(vm:syscall("lseek", f:fd(), (1 << 20) + 4, SEEK_DATA).errno, errno.ENXIO)
end)

test("an eventfd counts", function(t)
    local fd = vm:syscall("eventfd2", 3, 0).ret
    t:assert(fd > 2)
    vm:syscall("write", { args = { fd, 0, 8 }, bufs = { string.pack("<I8", 4) }, ptrs = { 1 } })
    local r = vm:syscall("read", { args = { fd, 0, 8 }, bufs = { ("\0"):rep(8) }, ptrs = { 1 } })
    t:assert_eq(string.unpack("<I8", r.out_bufs[1]), 7)
    vm:syscall("close", fd)
end)

test("two ends of a socket pair talk to each other", function(t)
    local made = vm:syscall("socketpair", { args = { 1, 1, 0, 0 }, bufs = { ("\0"):rep(8) }, ptrs = { 3 } })
    t:assert_eq(made.ret, 0)
    local a, b = string.unpack("<i4i4", made.out_bufs[1])
    vm:syscall("write", { args = { a, 0, 4 }, bufs = { "ping" }, ptrs = { 1 } })
    t:assert_eq(vm:syscall("read", { args = { b, 0, 8 }, bufs = { ("\0"):rep(8) }, ptrs = { 1 } }).ret, 4)
    vm:syscall("close", a)
    t:assert_eq(vm:syscall("read", { args = { b, 0, 8 }, bufs = { ("\0"):rep(8) }, ptrs = { 1 } }).ret, 0)
    vm:syscall("close", b)
end)

test("a worker makes the same calls", function(t)
    local w = vm:spawn_worker()
    t:assert_eq(w:syscall("getpid").ret, vm:syscall("getpid").ret)
    t:assert_eq(w:syscall("close", 9999).errno, errno.EBADF)
    support.raises(t, { kind = "usage", says = "worker:syscall" }, function() w:syscall("no_such_call") end)
    support.raises(t, { kind = "usage", says = "worker:syscall" }, function() w:syscall("close", "x") end)
end)

test("ioctl asks a device", function(t)
    local f = vm:open_file("/dev/null", { read = true, write = true })
    t:assert_eq(vm:ioctl(f:fd(), 0x5401, ("\0"):rep(64)).errno, errno.ENOTTY)
    support.raises(t, { kind = "usage", says = { "length", "size" } }, function()
        vm:ioctl(f:fd(), 0x5401, nil, { length = 1 })
    end)
end)

test("ioctl tells how much a pipe holds", function(t)
    local FIONREAD = 0x541B
    local path = support.directory(vm, "syscall-fionread") .. "/fifo"
    vm:run("mkfifo " .. path):assert_ok()
    local f = vm:open_file(path, { read = true, write = true })
    f:write_all("12345")
    local r = vm:ioctl(f:fd(), FIONREAD, "\0\0\0\0")
    t:assert_eq(r.ret, 0)
    t:assert_eq(string.unpack("<i4", r.out_bufs[1]), 5)
end)
