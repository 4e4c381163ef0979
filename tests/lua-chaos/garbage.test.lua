-- Garbage on the link: what is under way may end with an error that says so, and the guest answers afterwards.
local chaos = require("chaos")

--- Makes garbage while operations are under way, and checks what they come to: `must` says that they end with an error.
local function disturb(t, vm, trouble, must)
    local cat = vm:run_async("echo before; exec cat")
    local stream = cat:stdout_stream()
    stream:expect("before\n")
    local run = t:spawn(function() return pcall(function() return vm:run("sleep 2; echo done").stdout end) end)
    local read = t:spawn(function() return pcall(function() return stream:next("5s") end) end)
    co.sleep("200ms")
    local ok, e = pcall(trouble)
    if not ok then t:assert_eq(e.kind, "agent", tostring(e)) end
    for _, task in ipairs({ run, read }) do
        local ok, result = task:join(chaos.PATIENCE)
        if must then t:assert_eq(ok, false) end
        if not ok then
            t:assert_eq(result.kind, "agent", tostring(result))
            t:assert_contains(result.message, "the link to the guest was disturbed while the operation was under way")
        end
    end
    t:assert_eq(vm:state(), "booted")
    -- What comes behind all of the garbage is answered, whatever became of what came among it.
    wait_until(function() return (pcall(function() vm:run("true") end)) end, { timeout = chaos.PATIENCE })
    -- A process that was started is not under way.
    t:assert_eq(cat:status(), "running")
    chaos.works(t, vm)
    cat:close_stdin()
    cat:wait(chaos.PATIENCE):assert_ok()
end

test("from the host", chaos.real, function(t)
    local vm = provium:vm("flooded", "linux"):boot()
    for _ = 1, 3 do
        disturb(t, vm, function() vm:run("on the host: garbage to the guest") end, true)
    end
end)

test("to the host", chaos.real, function(t)
    local vm = provium:vm("flooding", "linux"):boot()
    for _ = 1, 3 do
        disturb(t, vm, function() vm:run("on the host: garbage from the guest") end, true)
    end
end)

test("written by the guest itself", chaos.real, function(t)
    local vm = provium:vm("self-made", "linux"):boot()
    -- Raw system calls are the agent's own, so that they have its descriptors.
    local link = vm:run("cd /proc/1/fd && for fd in *; do case $(readlink $fd) in /dev/vport*) echo $fd;; esac; done")
    local fd = assert(tonumber(link:assert_ok().stdout), "the agent's port is not found")
    local noise = ("\xf5p\x9c\x01 no chunk"):rep(1000)
    for _ = 1, 3 do
        disturb(t, vm, function()
            vm:syscall("write", { args = { fd, 0, #noise }, bufs = { noise }, ptrs = { 1 } })
        end, true)
    end
end)
