-- One process writes a file, another reads it as soon as it is there.
local function read_by_another(write)
    local vm = provium:vm("v", "linux"):boot()
    local reader = vm:spawn_worker():run_async("while [ ! -e /tmp/config ]; do true; done; cat /tmp/config")
    local writer = vm:spawn_worker():run_async(write)
    writer:wait():assert_ok()
    return reader:wait():assert_ok().stdout
end

test("wrong", function(t)
    t:assert_eq(read_by_another("echo complete > /tmp/config"), "complete\n")
end)

test("right", function(t)
    t:assert_eq(read_by_another("echo complete > /tmp/config.new; mv /tmp/config.new /tmp/config"), "complete\n")
end)
