-- One process writes a file, another reads it as soon as it is there.
local function read_by_another(write)
    local vm = provium:vm("v", "linux"):boot()
    local reader = vm:spawn_worker():run_async("while [ ! -e /tmp/config ]; do true; done; cat /tmp/config")
    local writer = vm:spawn_worker():run_async(write)
    writer:wait():assert_ok()
    return reader:wait():assert_ok().stdout
end

local complete = "one=1\ntwo=2\n"

test("wrong", function(t)
    t:assert_eq(read_by_another("echo one=1 > /tmp/config; echo two=2 >> /tmp/config"), complete)
end)

test("right", function(t)
    local write = "echo one=1 > /tmp/new; echo two=2 >> /tmp/new; mv /tmp/new /tmp/config"
    t:assert_eq(read_by_another(write), complete)
end)
