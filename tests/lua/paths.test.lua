-- Files and directories by path.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

test("what is written is read back, byte for byte", function(t)
    local dir = support.directory(vm, "paths-bytes")
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    local data = table.concat(all)
    t:assert_eq(vm:write_file(dir .. "/f", data), 256)
    t:assert_eq(vm:read_file(dir .. "/f"), data)
    vm:write_file(dir .. "/empty", "")
    t:assert_eq(vm:read_file(dir .. "/empty"), "")
end)

test("write_file replaces, and append adds", function(t)
    local path = support.directory(vm, "paths-replace") .. "/f"
    vm:write_file(path, "a long first version")
    vm:write_file(path, "short")
    t:assert_eq(vm:read_file(path), "short")
    t:assert_eq(vm:write_file(path, "er", { append = true }), 2)
    t:assert_eq(vm:read_file(path), "shorter")
    vm:write_file(path .. "2", "made by appending", { append = true })
    t:assert_eq(vm:read_file(path .. "2"), "made by appending")
end)

test("a large file comes back whole", function(t)
    local path = support.directory(vm, "paths-large") .. "/f"
    local data = ("0123456789abcdef"):rep(200000)
    vm:write_file(path, data)
    t:assert(vm:read_file(path) == data, "the file differs")
    t:assert_eq(vm:stat(path).size, #data)
end)

test("permission bits are set exactly, whatever the umask", function(t)
    local dir = support.directory(vm, "paths-perm")
    vm:write_file(dir .. "/f", "", { perm = 438 }) -- 0666
    t:assert_eq(vm:stat(dir .. "/f").perm, 438)
    vm:write_file(dir .. "/f", "", { perm = 256 }) -- 0400
    t:assert_eq(vm:stat(dir .. "/f").perm, 256)
    vm:mkdir(dir .. "/d", { perm = 511 }) -- 0777
    t:assert_eq(vm:stat(dir .. "/d").perm, 511)
    support.raises(t, { kind = "usage", says = "perm" }, function() vm:write_file(dir .. "/f", "", { perm = -1 }) end)
    support.raises(t, { kind = "usage", says = "perm" }, function() vm:write_file(dir .. "/f", "", { perm = 4096 }) end)
end)

test("stat tells what a file is", function(t)
    local dir = support.directory(vm, "paths-stat")
    vm:write_file(dir .. "/f", "12345", { perm = 416 })
    local s = vm:stat(dir .. "/f")
    t:assert_eq(s.size, 5)
    t:assert_eq(s.perm, 416)
    t:assert_eq(s.entry_type, "file")
    t:assert_eq(s.uid, 0)
    t:assert_eq(s.gid, 0)
    t:assert_eq(s.nlink, 1)
    t:assert(s.ino > 0)
    t:assert_eq(math.type(s.mtime), "integer")
    t:assert(s.mtime_ns >= 0 and s.mtime_ns < 1000000000)
end)

test("stat knows every type of entry", function(t)
    local dir = support.directory(vm, "paths-types")
    vm:run("mkfifo " .. dir .. "/fifo"):assert_ok()
    t:assert_eq(vm:stat(dir).entry_type, "directory")
    t:assert_eq(vm:stat(dir .. "/fifo").entry_type, "fifo")
    t:assert_eq(vm:stat("/dev/null").entry_type, "char_device")
    vm:symlink("fifo", dir .. "/link")
    t:assert_eq(vm:lstat(dir .. "/link").entry_type, "symlink")
    t:assert_eq(vm:stat(dir .. "/link").entry_type, "fifo")
end)

test("lstat looks at the link, stat at what it leads to", function(t)
    local dir = support.directory(vm, "paths-lstat")
    vm:write_file(dir .. "/f", "123")
    vm:symlink("f", dir .. "/link")
    t:assert_eq(vm:lstat(dir .. "/link").size, 1)
    t:assert_eq(vm:stat(dir .. "/link").size, 3)
    t:assert_eq(vm:stat(dir .. "/link").ino, vm:stat(dir .. "/f").ino)
end)

test("hard links are counted", function(t)
    local dir = support.directory(vm, "paths-nlink")
    vm:write_file(dir .. "/a", "x")
    vm:run("ln a b", { cwd = dir }):assert_ok()
    t:assert_eq(vm:stat(dir .. "/a").nlink, 2)
    t:assert_eq(vm:stat(dir .. "/a").ino, vm:stat(dir .. "/b").ino)
    vm:unlink(dir .. "/a")
    t:assert_eq(vm:stat(dir .. "/b").nlink, 1)
    t:assert_eq(vm:read_file(dir .. "/b"), "x")
end)

test("a write changes the modification time", function(t)
    local path = support.directory(vm, "paths-mtime") .. "/f"
    vm:write_file(path, "a")
    local before = vm:stat(path)
    vm:run("sleep 1.2")
    t:assert_eq(vm:stat(path).mtime, before.mtime)
    vm:write_file(path, "b")
    t:assert(vm:stat(path).mtime > before.mtime)
end)

test("listdir is sorted by name and knows the types", function(t)
    local dir = support.directory(vm, "paths-list")
    for _, name in ipairs { "zeta", "alpha", "Mid", ".hidden" } do vm:write_file(dir .. "/" .. name, "") end
    vm:mkdir(dir .. "/dir")
    vm:symlink("nowhere", dir .. "/link")
    t:assert_eq(vm:listdir(dir), {
        { name = ".hidden", entry_type = "file" },
        { name = "Mid", entry_type = "file" },
        { name = "alpha", entry_type = "file" },
        { name = "dir", entry_type = "directory" },
        { name = "link", entry_type = "symlink" },
        { name = "zeta", entry_type = "file" },
    })
end)

test("an empty directory has no entries", function(t)
    t:assert_eq(vm:listdir(support.directory(vm, "paths-empty")), {})
end)

test("mkdir with parents makes all that are missing, and is fine with what is there", function(t)
    local dir = support.directory(vm, "paths-parents")
    vm:mkdir(dir .. "/a/b/c", { parents = true })
    vm:mkdir(dir .. "/a/b/c", { parents = true })
    t:assert_eq(vm:stat(dir .. "/a/b/c").entry_type, "directory")
    vm:write_file(dir .. "/file", "")
    support.raises(t, { kind = "os", errname = "EEXIST" }, function() vm:mkdir(dir .. "/file", { parents = true }) end)
    support.raises(t, { kind = "os", errname = "ENOTDIR" }, function() vm:mkdir(dir .. "/file/x", { parents = true }) end)
end)

test("unlink removes files, links and empty directories", function(t)
    local dir = support.directory(vm, "paths-unlink")
    vm:write_file(dir .. "/f", "")
    vm:mkdir(dir .. "/d")
    vm:symlink("f", dir .. "/link")
    vm:unlink(dir .. "/link")
    t:assert_eq(vm:stat(dir .. "/f").size, 0)
    vm:unlink(dir .. "/f")
    vm:unlink(dir .. "/d")
    t:assert_eq(vm:listdir(dir), {})
end)

test("rename moves, and replaces what is there", function(t)
    local dir = support.directory(vm, "paths-rename")
    vm:write_file(dir .. "/a", "new")
    vm:write_file(dir .. "/b", "old")
    vm:rename(dir .. "/a", dir .. "/b")
    t:assert_eq(vm:read_file(dir .. "/b"), "new")
    t:assert_eq(#vm:listdir(dir), 1)
    vm:mkdir(dir .. "/sub")
    vm:rename(dir .. "/b", dir .. "/sub/c")
    t:assert_eq(vm:read_file(dir .. "/sub/c"), "new")
    vm:rename(dir .. "/sub", dir .. "/moved")
    t:assert_eq(vm:read_file(dir .. "/moved/c"), "new")
end)

test("a symbolic link says what it was told, true or not", function(t)
    local dir = support.directory(vm, "paths-symlink")
    vm:symlink("../no/such/place", dir .. "/link")
    t:assert_eq(vm:readlink(dir .. "/link"), "../no/such/place")
    vm:symlink(dir .. "/target", dir .. "/absolute")
    vm:write_file(dir .. "/absolute", "through the link")
    t:assert_eq(vm:read_file(dir .. "/target"), "through the link")
end)

test("chmod sets all twelve bits", function(t)
    local path = support.directory(vm, "paths-chmod") .. "/f"
    vm:write_file(path, "")
    for _, mode in ipairs { 0, 420, 493, 511, 1023, 2541, 3565 } do
        vm:chmod(path, mode)
        t:assert_eq(vm:stat(path).perm, mode)
    end
    support.raises(t, { kind = "usage" }, function() vm:chmod(path, "755") end)
    support.raises(t, { kind = "usage" }, function() vm:chmod(path) end)
end)

test("names are bytes", function(t)
    local dir = support.directory(vm, "paths-names")
    local name = "sp ace\n'\"\\\xff\xc3\xa9*"
    vm:write_file(dir .. "/" .. name, "x")
    t:assert_eq(vm:listdir(dir), { { name = name, entry_type = "file" } })
    t:assert_eq(vm:read_file(dir .. "/" .. name), "x")
end)

test("files of /proc are read although their size is 0", function(t)
    t:assert_contains(vm:read_file("/proc/mounts"), "/proc")
    t:assert_match(vm:read_file("/proc/uptime"), "^%d+%.%d+ ")
end)

test("a file lives on while it is open", function(t)
    local path = support.directory(vm, "paths-unlinked") .. "/f"
    vm:write_file(path, "still here")
    local f = vm:open_file(path, { read = true })
    vm:unlink(path)
    t:assert_eq(f:read_all(), "still here")
    support.raises(t, { errname = "ENOENT" }, function() vm:stat(path) end)
end)

test("push_file copies from the host, relative to the test file", function(t)
    local dir = support.directory(vm, "paths-push")
    vm:push_file("paths.test.lua", dir .. "/copy", { perm = 384 })
    t:assert_contains(vm:read_file(dir .. "/copy"), "push_file copies from the host")
    t:assert_eq(vm:stat(dir .. "/copy").perm, 384)
end)

test("push_file of what the host does not have is refused and changes nothing", function(t)
    local dir = support.directory(vm, "paths-push-missing")
    local e = t:assert_raises(function() vm:push_file("/no/such/file/on/the/host", dir .. "/copy") end)
    t:assert_contains(e.message, "/no/such/file/on/the/host")
    t:assert_eq(vm:listdir(dir), {})
end)
