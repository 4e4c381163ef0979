-- What the conformance tests share.
local support = {}

--- Runs `fn`, which must raise an error value, and looks at its fields: those in `expected` must be equal,
--- `says` (a string or an array of strings) must stand in the message. Returns the error.
function support.raises(t, expected, fn)
    local e = t:assert_raises(fn)
    for key, value in pairs(expected) do
        if key ~= "says" then
            t:assert_eq(e[key], value, "field `" .. key .. "` of the error: " .. tostring(e))
        end
    end
    local says = expected.says or {}
    for _, text in ipairs(type(says) == "table" and says or { says }) do
        t:assert_contains(e.message, text)
    end
    return e
end

--- An empty directory of this name for one test.
function support.directory(vm, name)
    local path = "/tmp/" .. name
    vm:mkdir(path)
    return path
end

--- Waits until a process prints `ready` on its own line. Returns the stream of its standard output.
function support.ready(process)
    local stream = process:stdout_stream()
    stream:expect("ready\n")
    return stream
end

--- Whether a process of this id is there, dead ones that nobody has waited for included.
function support.exists(vm, pid)
    return vm:run("test -d /proc/" .. pid):ok()
end

--- Waits until no process of this id is there.
function support.wait_gone(vm, pid)
    wait_until(function() return not support.exists(vm, pid) end, { desc = "the end of process " .. pid })
end

--- A field of /proc/PID/stat by its number in proc(5); the command's name must have no space.
function support.proc_stat(vm, pid, field)
    local fields = {}
    for word in vm:read_file("/proc/" .. pid .. "/stat"):gmatch("%S+") do
        fields[#fields + 1] = word
    end
    return fields[field]
end

--- The line of the caller in its file.
function support.line()
    local _, e = pcall(error, "here", 3)
    return tonumber(e:match(":(%d+): here$"))
end

--- Seconds since the guest started.
function support.uptime(vm)
    return tonumber(vm:read_file("/proc/uptime"):match("^[%d.]+"))
end

--- Sorted copy of an array.
function support.sorted(array)
    local copy = table.move(array, 1, #array, 1, {})
    table.sort(copy)
    return copy
end

return support
