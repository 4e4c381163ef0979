-- File: opening, reading, writing, seeking, closing.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("a file is read piece by piece to its end", function(t)
    local path = support.directory(vm, "file-read") .. "/f"
    vm:write_file(path, "0123456789")
    local f = vm:open_file(path, { read = true })
    t:assert_eq(f:read(4), "0123")
    t:assert_eq(f:read(4), "4567")
    t:assert_eq(f:read(4), "89")
    t:assert_eq(f:read(4), "")
    t:assert_eq(f:read(4), "")
    vm:write_file(path, "ab", { append = true })
    t:assert_eq(f:read(4), "ab")
end)

test("reading nothing is fine, reading a negative count is not", function(t)
    local f = vm:open_file("/etc/passwd", { read = true })
    t:assert_eq(f:read(0), "")
    support.raises(t, { kind = "usage", says = "-1" }, function() f:read(-1) end)
    support.raises(t, { kind = "usage" }, function() f:read() end)
    support.raises(t, { kind = "usage" }, function() f:read(1.5) end)
end)

test("read_all reads from the position to the end", function(t)
    local path = support.directory(vm, "file-read-all") .. "/f"
    vm:write_file(path, "head and tail")
    local f = vm:open_file(path, { read = true })
    f:read(5)
    t:assert_eq(f:read_all(), "and tail")
    t:assert_eq(f:read_all(), "")
end)

test("write returns the count that one write moved", function(t)
    local path = support.directory(vm, "file-write") .. "/f"
    local f = vm:open_file(path, { write = true, create = true })
    local count = f:write("hello")
    t:assert(count >= 1 and count <= 5)
    t:assert_eq(vm:read_file(path), ("hello"):sub(1, count))
    t:assert_eq(f:write(""), 0)
    t:assert_eq(f:write_all(("x"):rep(100000)), 100000)
    t:assert_eq(vm:stat(path).size, count + 100000)
end)

test("a write to a pipe may be short, write_all is not", function(t)
    local dir = support.directory(vm, "file-short")
    vm:run("mkfifo " .. dir .. "/fifo"):assert_ok()
    local both = vm:open_file(dir .. "/fifo", { read = true, write = true })
    -- F_SETFL with O_NONBLOCK, so that a full pipe does not hold the write up.
    t:assert_eq(vm:syscall("fcntl", both:fd(), 4, 2048).ret, 0)
    local count = both:write(("x"):rep(200000))
    t:assert(count > 0 and count < 200000, "wrote " .. count)
    vm:syscall("fcntl", both:fd(), 4, 0)
    local reader = t:spawn(function()
        local got = 0
        while got < count + 100000 do got = got + #both:read(50000) end
        return got
    end)
    t:assert_eq(both:write_all(("y"):rep(100000)), 100000)
    t:assert_eq(reader:join(20), count + 100000)
end)

test("seek has three origins and tell agrees", function(t)
    local path = support.directory(vm, "file-seek") .. "/f"
    vm:write_file(path, "0123456789")
    local f = vm:open_file(path, { read = true })
    t:assert_eq(f:seek(3, "set"), 3)
    t:assert_eq(f:read(1), "3")
    t:assert_eq(f:tell(), 4)
    t:assert_eq(f:seek(2, "cur"), 6)
    t:assert_eq(f:seek(-2, "cur"), 4)
    t:assert_eq(f:seek(-1, "end"), 9)
    t:assert_eq(f:read(5), "9")
    t:assert_eq(f:seek(0, "end"), 10)
    t:assert_eq(f:tell(), 10)
end)

test("an unknown origin is refused and the three are listed", function(t)
    local f = vm:open_file("/etc/passwd", { read = true })
    support.raises(t, { kind = "usage", says = { "begin", "set", "cur", "end" } }, function() f:seek(0, "begin") end)
    support.raises(t, { kind = "usage" }, function() f:seek("0", "set") end)
end)

test("tell asks the guest", function(t)
    local path = support.directory(vm, "file-tell") .. "/f"
    vm:write_file(path, "0123456789")
    local f = vm:open_file(path, { read = true })
    vm:syscall("lseek", f:fd(), 7, 0)
    t:assert_eq(f:tell(), 7)
    t:assert_eq(f:read(10), "789")
end)

test("what lies beyond the end is a hole of zeros", function(t)
    local path = support.directory(vm, "file-sparse") .. "/f"
    local f = vm:open_file(path, { read = true, write = true, create = true })
    local size = 1 << 32
    f:seek(size - 1, "set")
    f:write_all("x")
    t:assert_eq(vm:stat(path).size, size)
    f:seek(1000000, "set")
    t:assert_eq(f:read(4), "\0\0\0\0")
    f:seek(-3, "end")
    t:assert_eq(f:read(10), "\0\0x")
    t:assert(tonumber(vm:run("stat -c %b " .. path).stdout) < 1000, "the hole takes room")
end)

test("truncate shortens and lengthens", function(t)
    local path = support.directory(vm, "file-truncate") .. "/f"
    vm:write_file(path, "0123456789")
    local f = vm:open_file(path, { write = true })
    f:truncate(4)
    t:assert_eq(vm:read_file(path), "0123")
    f:truncate(6)
    t:assert_eq(vm:read_file(path), "0123\0\0")
    t:assert_eq(f:tell(), 0)
    support.raises(t, { kind = "usage", says = "-1" }, function() f:truncate(-1) end)
end)

test("truncate, create and exclusive when opening", function(t)
    local path = support.directory(vm, "file-flags") .. "/f"
    vm:open_file(path, { write = true, create = true, exclusive = true }):write_all("one")
    vm:open_file(path, { write = true, create = true })
    t:assert_eq(vm:read_file(path), "one")
    vm:open_file(path, { write = true, truncate = true })
    t:assert_eq(vm:read_file(path), "")
end)

test("a file that is made gets its permission bits less the umask", function(t)
    local dir = support.directory(vm, "file-perm")
    vm:open_file(dir .. "/f", { write = true, create = true, perm = 384 })
    t:assert_eq(vm:stat(dir .. "/f").perm, 384)
end)

test("a mode that neither reads nor writes is refused and names all three", function(t)
    for _, mode in ipairs { {}, { create = true }, { read = false } } do
        support.raises(t, { kind = "usage", says = { "read", "write", "append" } }, function()
            vm:open_file("/tmp/x", mode)
        end)
    end
    support.raises(t, { kind = "usage" }, function() vm:open_file("/tmp/x") end)
end)

test("append writes at the end wherever the position is", function(t)
    local path = support.directory(vm, "file-append") .. "/f"
    vm:write_file(path, "start ")
    local f = vm:open_file(path, { append = true, read = true })
    f:seek(0, "set")
    f:write_all("end")
    t:assert_eq(vm:read_file(path), "start end")
    vm:write_file(path, "!", { append = true })
    f:write_all("?")
    t:assert_eq(vm:read_file(path), "start end!?")
end)

test("two writers that append lose nothing", function(t)
    local path = support.directory(vm, "file-two-appends") .. "/f"
    local one = vm:open_file(path, { append = true, create = true })
    local two = vm:open_file(path, { append = true, create = true })
    local function writer(f, line)
        return t:spawn(function()
            for _ = 1, 50 do f:write_all(line) end
        end)
    end
    local a, b = writer(one, "aaaaaaaaaaaaaaa\n"), writer(two, "bbbbbbbbbbbbbbb\n")
    a:join()
    b:join()
    local counts = {}
    for line in vm:read_file(path):gmatch("[^\n]+") do counts[line] = (counts[line] or 0) + 1 end
    t:assert_eq(counts, { aaaaaaaaaaaaaaa = 50, bbbbbbbbbbbbbbb = 50 })
end)

test("two files of the same path have positions of their own", function(t)
    local path = support.directory(vm, "file-two") .. "/f"
    vm:write_file(path, "0123456789")
    local one, two = vm:open_file(path, { read = true }), vm:open_file(path, { read = true })
    t:assert_eq(one:read(3), "012")
    t:assert_eq(two:read(1), "0")
    t:assert_eq(one:read(1), "3")
end)

test("sync returns", function(t)
    local path = support.directory(vm, "file-sync") .. "/f"
    local f = vm:open_file(path, { write = true, create = true })
    f:write_all("x")
    f:sync()
    t:assert_eq(vm:read_file(path), "x")
end)

test("fd is a descriptor of the agent, 0 once closed", function(t)
    local f = vm:open_file("/etc/passwd", { read = true })
    local fd = f:fd()
    t:assert(fd > 2)
    t:assert_eq(vm:syscall("fcntl", fd, 1).ret, 1) -- F_GETFD: FD_CLOEXEC
    t:assert_eq(vm:syscall("read", { args = { fd, 0, 4 }, bufs = { "????" }, ptrs = { 1 } }).out_bufs[1], "root")
    f:close()
    t:assert_eq(f:fd(), 0)
    t:assert_eq(vm:syscall("fcntl", fd, 1).errno, provium.errno.EBADF)
end)

test("closing twice is fine, anything else after it raises", function(t)
    local f = vm:open_file("/etc/passwd", { read = true, write = true })
    f:close()
    f:close()
    for _, call in ipairs {
        function() f:read(1) end,
        function() f:read_all() end,
        function() f:write("x") end,
        function() f:write_all("x") end,
        function() f:seek(0, "set") end,
        function() f:tell() end,
        function() f:sync() end,
        function() f:truncate(0) end,
        function() f:lock("shared") end,
        function() f:unlock() end,
        function() f:tail_stream() end,
        function() vm:fd_stream(f) end,
    } do
        support.raises(t, { kind = "state", says = "file is closed" }, call)
    end
end)

test("open files are counted", function(t)
    local before = vm:open_file_count()
    local one = vm:open_file("/etc/passwd", { read = true })
    local two = vm:open_file("/etc/passwd", { read = true })
    t:assert_eq(vm:open_file_count(), before + 2)
    one:close()
    t:assert_eq(vm:open_file_count(), before + 1)
    two:close()
    t:assert_eq(vm:open_file_count(), before)
end)

test("a read that waits on a pipe holds up nobody else", function(t)
    local dir = support.directory(vm, "file-wait")
    vm:run("mkfifo " .. dir .. "/fifo"):assert_ok()
    local f = vm:open_file(dir .. "/fifo", { read = true, write = true })
    local reader = t:spawn(function() return f:read(10) end)
    t:assert_eq(vm:run("echo meanwhile").stdout, "meanwhile\n")
    t:assert_eq(reader:done(), false)
    vm:run("echo data > " .. dir .. "/fifo"):assert_ok()
    t:assert_eq(reader:join(10), "data\n")
end)

test("a read that waits ends when its file is closed", function(t)
    local dir = support.directory(vm, "file-wait-close")
    vm:run("mkfifo " .. dir .. "/fifo"):assert_ok()
    local f = vm:open_file(dir .. "/fifo", { read = true, write = true })
    local reader = t:spawn(function() return f:read(10) end)
    co.sleep("100ms")
    f:close()
    support.raises(t, { kind = "state", says = "file is closed" }, function() reader:join(10) end)
end)

test("opening a fifo waits for the other side", function(t)
    local dir = support.directory(vm, "file-fifo")
    vm:run("mkfifo " .. dir .. "/fifo"):assert_ok()
    local opening = t:spawn(function() return vm:open_file(dir .. "/fifo", { read = true }) end)
    co.sleep("200ms")
    t:assert_eq(opening:done(), false)
    local p = vm:run_async("echo through > " .. dir .. "/fifo")
    local f = opening:join(10)
    t:assert_eq(f:read(100), "through\n")
    t:assert_eq(f:read(100), "")
    p:wait(10):assert_ok()
end)

test("a file reads well", function(t)
    local f = vm:open_file("/etc/passwd", { read = true })
    t:assert_contains(tostring(f), "/etc/passwd")
end)
