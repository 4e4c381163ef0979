-- Labs: looking up, creating, sub-labs, doing things to all.
local support = require("support")
local file_vm = provium:vm("file-vm", "linux"):boot()

test("a VM of the file can be looked up by call and by field", function(t)
    t:assert_eq(provium:vm("file-vm"), file_vm)
    t:assert_eq(provium["file-vm"], file_vm)
end)

test("a look-up of what is not there is an error by call, nil by field", function(t)
    support.raises(t, { says = "nowhere" }, function() provium:vm("nowhere") end)
    t:assert_eq(provium.nowhere, nil)
end)

test("what a test creates it can look up", function(t)
    local vm = provium:vm("mine", "linux")
    t:assert_eq(provium:vm("mine"), vm)
    t:assert_eq(provium.mine, vm)
end)

test("what another test created is gone", function(t)
    t:assert_eq(provium.mine, nil)
    provium:vm("mine", "linux")
end)

test("a name that the file has is refused", function(t)
    support.raises(t, { says = { "file-vm", "file" } }, function() provium:vm("file-vm", "linux") end)
end)

test("a name that the test has is refused", function(t)
    provium:vm("twice", "linux")
    support.raises(t, { says = "twice" }, function() provium:vm("twice", "linux") end)
end)

test("an unknown profile is named, and the known ones are listed", function(t)
    support.raises(t, { kind = "usage", says = { "no-such-profile", "linux" } }, function()
        provium:vm("v", "no-such-profile")
    end)
    t:assert_eq(provium.v, nil)
end)

test("a sub-lab has VMs of its own and no view of its parent", function(t)
    local lab = provium:lab("inner")
    local vm = lab:vm("v", "linux")
    t:assert_eq(lab:vm("v"), vm)
    t:assert_eq(lab["file-vm"], nil)
    t:assert_raises(function() lab:vm("file-vm") end)
    t:assert_eq(provium.v, nil)
end)

test("a sub-lab is looked up by name", function(t)
    local lab = provium:lab("inner")
    t:assert_eq(provium.inner, lab)
    t:assert_eq(provium:sub_lab_names(), { "inner" })
    t:assert_eq(provium:lab("inner"), lab)
end)

test("a sub-lab needs no name", function(t)
    local lab = provium:lab()
    t:assert_neq(provium:lab(), lab)
    t:assert_eq(lab:vm("v", "linux"):boot():run("echo alive").stdout, "alive\n")
    t:assert_eq(provium:sub_lab_names(), {})
    t:assert_eq(#provium:members(), 2)
end)

test("names of VMs are those of the lab itself", function(t)
    local lab = provium:lab("names")
    t:assert_eq(lab:vm_names(), {})
    lab:vm("b", "linux")
    lab:vm("a", "linux")
    t:assert_eq(support.sorted(lab:vm_names()), { "a", "b" })
end)

test("members are the VMs and sub-labs", function(t)
    local lab = provium:lab("members")
    lab:vm("a", "linux")
    lab:lab("inner")
    t:assert_eq(#lab:members(), 2)
end)

test("what is removed is a member no more, and can be included elsewhere", function(t)
    local one, two = provium:lab("one"), provium:lab("two")
    local vm = one:vm("v", "linux"):boot()
    one:remove(vm)
    t:assert_eq(one:vm_names(), {})
    two:include(vm)
    t:assert_eq(two:vm("v"), vm)
    t:assert_eq(vm:run("echo alive").stdout, "alive\n")
end)

test("a lab boots and shuts down all its VMs", function(t)
    local lab = provium:lab("all")
    local a, b = lab:vm("a", "linux"), lab:vm("b", "linux")
    lab:boot()
    t:assert_eq(a:state() .. b:state(), "bootedbooted")
    lab:pause()
    t:assert_eq(a:state() .. b:state(), "pausedpaused")
    lab:resume()
    t:assert_eq(a:run("echo a").stdout .. b:run("echo b").stdout, "a\nb\n")
    lab:shutdown()
    t:assert_eq(a:state() .. b:state(), "shutdownshutdown")
    t:assert_eq(file_vm:state(), "booted")
end)

test("the VMs of a lab are guests of their own", function(t)
    local a, b = provium:vm("a", "linux"):boot(), provium:vm("b", "linux"):boot()
    a:write_file("/tmp/only-here", "a")
    t:assert_raises(function() b:read_file("/tmp/only-here") end)
end)

test("guests run at the same time", function(t)
    local a, b = provium:vm("a", "linux"):boot(), provium:vm("b", "linux"):boot()
    -- Each ends only after the other one has gone on: whoever took turns would wait for ever.
    local one, two = a:run_async("read line; echo a $line"), b:run_async("read line; echo b $line; read line; echo $line")
    local from_one, from_two = one:stdout_stream(), two:stdout_stream()
    two:stdin_write("first\n")
    t:assert_eq(from_two:expect("\n"), "b first\n")
    one:stdin_write("second\n")
    t:assert_eq(from_one:expect("\n"), "a second\n")
    two:stdin_write("third\n")
    t:assert_eq(from_two:expect("\n"), "third\n")
    one:wait(20):assert_ok()
    two:wait(20):assert_ok()
end)

test("time passes in all guests at once", { backend = "sim" }, function(t)
    local a, b = provium:vm("a", "linux"):boot(), provium:vm("b", "linux"):boot()
    local before = support.uptime(file_vm)
    local one, two = a:run_async("sleep 1; echo a"), b:run_async("sleep 1; echo b")
    t:assert_eq(one:wait(20).stdout .. two:wait(20).stdout, "a\nb\n")
    t:assert(support.uptime(file_vm) - before < 1.9, "they took turns")
end)

test("names must be strings", function(t)
    support.raises(t, { kind = "usage" }, function() provium:vm() end)
    support.raises(t, { kind = "usage" }, function() provium:vm({}, "linux") end)
    support.raises(t, { kind = "usage" }, function() provium:vm("v", 5) end)
    support.raises(t, { kind = "usage" }, function() provium:lab(5) end)
end)

test("errno and signal are tables of numbers by name", function(t)
    t:assert_eq(provium.errno.EBADF, 9)
    t:assert_eq(provium.errno.ENOENT, 2)
    t:assert_eq(provium.errno.EAGAIN, 11)
    t:assert_eq(provium.errno.EWOULDBLOCK, 11)
    t:assert_eq(provium.signal.SIGTERM, 15)
    t:assert_eq(provium.signal.SIGKILL, 9)
    t:assert_eq(provium.signal.SIGUSR1, 10)
end)

test("pack and unpack are those of string", function(t)
    t:assert_eq(provium:pack("<I4z", 258, "x"), "\2\1\0\0x\0")
    t:assert_eq({ provium:unpack("<I4", "\2\1\0\0") }, { 258, 5 })
end)

test("the backend and the seed can be asked for", function(t)
    t:assert(({ sim = true, qemu = true, replay = true })[provium.backend], tostring(provium.backend))
    t:assert(provium.seed == nil or math.type(provium.seed) == "integer")
end)

test("names have no control characters and are not absurdly long", function(t)
    local bad = {
        { "", "the name is empty" },
        { "a\0b", "the name `a\\0b` has the control character `\\0`" },
        { "two\nlines", "control character `\\n`" },
        { "\27[31m", "control character `\\u{1b}`" },
        { ("x"):rep(129), "the name has 129 bytes; the most is 128" },
    }
    for _, case in ipairs(bad) do
        local name, says = table.unpack(case)
        local expected = { kind = "usage", says = { "name", says } }
        support.raises(t, expected, function() provium:vm(name, "linux") end)
        support.raises(t, expected, function() provium:lab(name) end)
        support.raises(t, expected, function() provium:barrier(name, 1) end)
        support.raises(t, expected, function() file_vm:spawn_worker { name = name } end)
    end
    for _, name in ipairs { "with space", "ünïcode ✓", ("x"):rep(128) } do
        t:assert_eq(provium:vm(name, "linux"):boot():name(), name)
        t:assert_eq(file_vm:spawn_worker { name = name }:name(), name)
        t:assert_eq(provium:barrier(name, 1), true)
        provium:lab("lab " .. name:sub(1, 100))
    end
end)
