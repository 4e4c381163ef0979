-- The errno of every refusal, for the real reason.
local support = require("support")
local vm = provium:vm("v", "linux"):boot()

local function refused(t, errname, fn)
    return support.raises(t, { kind = "os", vm = "v", errname = errname, errno = provium.errno[errname] }, fn)
end

test("ENOENT: nothing of that name", function(t)
    local dir = support.directory(vm, "errors-enoent")
    local no = dir .. "/no"
    for op, call in pairs {
        read_file = function() vm:read_file(no) end,
        write_file = function() vm:write_file(no .. "/f", "") end,
        stat = function() vm:stat(no) end,
        lstat = function() vm:lstat(no) end,
        listdir = function() vm:listdir(no) end,
        mkdir = function() vm:mkdir(no .. "/d") end,
        unlink = function() vm:unlink(no) end,
        rename = function() vm:rename(no, dir .. "/b") end,
        symlink = function() vm:symlink("x", no .. "/link") end,
        readlink = function() vm:readlink(no) end,
        chmod = function() vm:chmod(no, 420) end,
        open_file = function() vm:open_file(no, { read = true }) end,
        tail_file = function() vm:tail_file(no) end,
    } do
        local e = refused(t, "ENOENT", call)
        t:assert_eq(e.op, op)
        t:assert_contains(e.message, no)
        t:assert_match(e.message, "No such file or directory %(ENOENT%)$")
    end
end)

test("ENOENT: the empty path and a link that leads nowhere", function(t)
    local dir = support.directory(vm, "errors-dangling")
    refused(t, "ENOENT", function() vm:stat("") end)
    vm:symlink("nowhere", dir .. "/link")
    refused(t, "ENOENT", function() vm:stat(dir .. "/link") end)
    refused(t, "ENOENT", function() vm:read_file(dir .. "/link") end)
    t:assert_eq(vm:lstat(dir .. "/link").entry_type, "symlink")
end)

test("ENOTDIR: a file in the middle of a path", function(t)
    local dir = support.directory(vm, "errors-enotdir")
    vm:write_file(dir .. "/f", "")
    refused(t, "ENOTDIR", function() vm:stat(dir .. "/f/x") end)
    refused(t, "ENOTDIR", function() vm:stat(dir .. "/f/") end)
    refused(t, "ENOTDIR", function() vm:write_file(dir .. "/f/x", "") end)
    refused(t, "ENOTDIR", function() vm:mkdir(dir .. "/f/d") end)
    refused(t, "ENOTDIR", function() vm:listdir(dir .. "/f") end)
    vm:mkdir(dir .. "/d")
    refused(t, "ENOTDIR", function() vm:rename(dir .. "/d", dir .. "/f") end)
end)

test("EISDIR: a directory where a file is wanted", function(t)
    local dir = support.directory(vm, "errors-eisdir")
    vm:mkdir(dir .. "/d")
    vm:write_file(dir .. "/f", "")
    refused(t, "EISDIR", function() vm:read_file(dir .. "/d") end)
    refused(t, "EISDIR", function() vm:write_file(dir .. "/d", "x") end)
    refused(t, "EISDIR", function() vm:open_file(dir .. "/d", { write = true }) end)
    refused(t, "EISDIR", function() vm:rename(dir .. "/f", dir .. "/d") end)
    refused(t, "EISDIR", function() vm:open_file(dir .. "/d", { read = true }):read(1) end)
    refused(t, "EISDIR", function() vm:tail_file(dir .. "/d") end)
end)

test("EEXIST: something of that name", function(t)
    local dir = support.directory(vm, "errors-eexist")
    vm:write_file(dir .. "/f", "keep")
    refused(t, "EEXIST", function() vm:mkdir(dir .. "/f") end)
    refused(t, "EEXIST", function() vm:mkdir(dir) end)
    refused(t, "EEXIST", function() vm:symlink("x", dir .. "/f") end)
    refused(t, "EEXIST", function() vm:open_file(dir .. "/f", { write = true, create = true, exclusive = true }) end)
    vm:symlink("nowhere", dir .. "/link")
    refused(t, "EEXIST", function() vm:open_file(dir .. "/link", { write = true, create = true, exclusive = true }) end)
    t:assert_eq(vm:read_file(dir .. "/f"), "keep")
end)

test("ENOTEMPTY: a directory that is not empty", function(t)
    local dir = support.directory(vm, "errors-enotempty")
    vm:mkdir(dir .. "/d/sub", { parents = true })
    vm:mkdir(dir .. "/e")
    refused(t, "ENOTEMPTY", function() vm:unlink(dir .. "/d") end)
    refused(t, "ENOTEMPTY", function() vm:rename(dir .. "/e", dir .. "/d") end)
    vm:unlink(dir .. "/d/sub")
    vm:rename(dir .. "/e", dir .. "/d")
end)

test("EXDEV: from one file system to another", function(t)
    local dir = support.directory(vm, "errors-exdev")
    vm:write_file(dir .. "/f", "x")
    refused(t, "EXDEV", function() vm:rename(dir .. "/f", "/dev/errors-exdev") end)
    t:assert_eq(vm:syscall("link", {
        args = { 0, 0 },
        bufs = { dir .. "/f\0", "/dev/errors-exdev\0" },
        ptrs = { 0, 1 },
    }).errno, provium.errno.EXDEV)
    -- mv copies instead.
    vm:run("mv " .. dir .. "/f /dev/errors-exdev"):assert_ok()
    t:assert_eq(vm:read_file("/dev/errors-exdev"), "x")
    vm:unlink("/dev/errors-exdev")
end)

test("ELOOP: links that lead in circles", function(t)
    local dir = support.directory(vm, "errors-eloop")
    vm:symlink("b", dir .. "/a")
    vm:symlink("a", dir .. "/b")
    refused(t, "ELOOP", function() vm:stat(dir .. "/a") end)
    refused(t, "ELOOP", function() vm:read_file(dir .. "/a") end)
    refused(t, "ELOOP", function() vm:write_file(dir .. "/b/x", "") end)
    t:assert_eq(vm:readlink(dir .. "/a"), "b")
end)

test("ENAMETOOLONG: 255 bytes are the most of a name, 4095 of a path", function(t)
    local dir = support.directory(vm, "errors-long")
    vm:write_file(dir .. "/" .. ("n"):rep(255), "fits")
    refused(t, "ENAMETOOLONG", function() vm:write_file(dir .. "/" .. ("n"):rep(256), "") end)
    refused(t, "ENAMETOOLONG", function() vm:stat(("/."):rep(2100)) end)
    t:assert_eq(vm:stat("/" .. ("./"):rep(2000)).entry_type, "directory")
end)

test("EINVAL: what makes no sense", function(t)
    local dir = support.directory(vm, "errors-einval")
    vm:write_file(dir .. "/f", "")
    vm:mkdir(dir .. "/d")
    refused(t, "EINVAL", function() vm:readlink(dir .. "/f") end)
    refused(t, "EINVAL", function() vm:rename(dir .. "/d", dir .. "/d/sub") end)
    refused(t, "EINVAL", function() vm:open_file(dir .. "/f", { read = true }):seek(-1, "set") end)
    refused(t, "EINVAL", function() vm:open_file(dir .. "/f", { read = true }):truncate(0) end)
end)

test("EBADF: the file is not open for that", function(t)
    local path = support.directory(vm, "errors-ebadf") .. "/f"
    vm:write_file(path, "abc")
    refused(t, "EBADF", function() vm:open_file(path, { write = true }):read(1) end)
    refused(t, "EBADF", function() vm:open_file(path, { read = true }):write("x") end)
    t:assert_eq(vm:read_file(path), "abc")
end)

test("ENOSPC: a full device", function(t)
    refused(t, "ENOSPC", function() vm:open_file("/dev/full", { write = true }):write("x") end)
    refused(t, "ENOSPC", function() vm:write_file("/dev/full", "x") end)
    t:assert_contains(vm:run("cat /etc/passwd > /dev/full").stderr, "No space left on device")
end)

test("ESPIPE: a pipe has no position", function(t)
    local dir = support.directory(vm, "errors-espipe")
    vm:run("mkfifo " .. dir .. "/fifo"):assert_ok()
    local f = vm:open_file(dir .. "/fifo", { read = true, write = true })
    refused(t, "ESPIPE", function() f:seek(0, "cur") end)
    refused(t, "ESPIPE", function() f:tell() end)
end)

test("EACCES: another user may not", function(t)
    local dir = support.directory(vm, "errors-eacces")
    vm:chmod(dir, 493) -- 0755
    vm:write_file(dir .. "/secret", "x", { perm = 384 })
    vm:mkdir(dir .. "/closed", { perm = 448 })
    vm:write_file(dir .. "/closed/inside", "x", { perm = 511 })
    -- System calls of a worker are made by a thread of its own, and so is what it does to its identity.
    local user = vm:spawn_worker()
    t:assert_eq(user:syscall("setresuid", 1000, 1000, 1000).ret, 0)
    local function open(path, flags)
        return user:syscall("open", { args = { 0, flags, 420 }, bufs = { path .. "\0" }, ptrs = { 0 } })
    end
    local EACCES = provium.errno.EACCES
    t:assert_eq(open(dir .. "/secret", 0).errno, EACCES)
    t:assert_eq(open(dir .. "/closed/inside", 0).errno, EACCES)
    t:assert_eq(open(dir .. "/new", 65).errno, EACCES) -- O_WRONLY | O_CREAT
    t:assert_eq(open("/etc/passwd", 1).errno, EACCES)
    t:assert_eq(open("/etc/passwd", 0).errno, 0)
    -- The main agent is still root.
    t:assert_eq(vm:read_file(dir .. "/secret"), "x")
end)

test("EPERM: only root and the owner change permissions", function(t)
    local dir = support.directory(vm, "errors-eperm")
    vm:chmod(dir, 511)
    vm:write_file(dir .. "/f", "x", { perm = 438 })
    local user = vm:spawn_worker()
    t:assert_eq(user:syscall("setresuid", 1000, 1000, 1000).ret, 0)
    local function path_call(name, a)
        return user:syscall(name, { args = { 0, a, a }, bufs = { dir .. "/f\0" }, ptrs = { 0 } })
    end
    t:assert_eq(path_call("chmod", 511).errno, provium.errno.EPERM)
    t:assert_eq(path_call("chown", 1000).errno, provium.errno.EPERM)
    t:assert_eq(user:syscall("setresuid", 0, 0, 0).errno, provium.errno.EPERM)
    local p = vm:run_async("exec sleep 60")
    t:assert_eq(user:syscall("kill", p:pid(), 9).errno, provium.errno.EPERM)
    t:assert_eq(p:status(), "running")
end)

test("commands say why in words", function(t)
    local dir = support.directory(vm, "errors-words")
    vm:mkdir(dir .. "/d/sub", { parents = true })
    t:assert_contains(vm:run("cat " .. dir .. "/no").stderr, "No such file or directory")
    t:assert_contains(vm:run("rmdir " .. dir .. "/d").stderr, "Directory not empty")
    t:assert_contains(vm:run("mkdir " .. dir .. "/d").stderr, "File exists")
    t:assert_contains(vm:run("cat " .. dir .. "/d").stderr, "Is a directory")
    t:assert_contains(vm:run("cd " .. dir .. "/no && pwd").stderr, dir .. "/no")
end)

test("an empty path is shown as one", function(t)
    support.raises(t, { errname = "ENOENT", says = 'read_file "": ' }, function() vm:read_file("") end)
    support.raises(t, { errname = "ENOENT", says = 'rename "" to "": ' }, function() vm:rename("", "") end)
    support.raises(t, { kind = "usage", says = 'the host file "": ' }, function() vm:push_file("", "/tmp/x") end)
end)
