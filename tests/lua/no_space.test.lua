-- A file system without room: what is written says so, as far as it came is there, and removing something makes room.
local support = require("support")

local SIZE = 1 << 20

test("no space left", function(t)
    local vm = provium:vm("v", "linux"):boot()
    vm:run("mkdir -p /mnt && mount -t tmpfs -o size=1M none /mnt"):assert_ok()
    local full = { kind = "os", errname = "ENOSPC", says = "No space left on device" }
    local twice = ("x"):rep(2 * SIZE)

    support.raises(t, full, function() vm:write_file("/mnt/a", twice) end)
    t:assert_eq(vm:stat("/mnt/a").size, SIZE)
    support.raises(t, full, function() vm:write_file("/mnt/b", "x") end)
    local result = vm:run("head -c 10 /dev/zero >> /mnt/a")
    t:assert_eq(result:ok(), false)
    t:assert_contains(result.stderr, "No space left on device")

    vm:unlink("/mnt/a")
    local file = vm:open_file("/mnt/c", { write = true, create = true })
    t:assert_eq(file:write(twice), SIZE)
    support.raises(t, full, function() file:write_all("x") end)
    t:assert_eq(file:seek(0), 0)
    t:assert_eq(file:write("over what is there"), 18)
    file:close()
    vm:unlink("/mnt/c")

    vm:write_file("/mnt/d", "room again")
    t:assert_eq(vm:read_file("/mnt/d"), "room again")
end)
