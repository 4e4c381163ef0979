-- Two processes append lines to a log; a line is whole only if one write wrote it.
local function log(write)
    local vm = provium:vm("v", "linux"):boot()
    local function writer(word, before)
        return vm:spawn_worker():run_async(before .. "for i in 1 2; do " .. write:gsub("WORD", word) .. "; done")
    end
    local one, two = writer("one", ""), writer("two", "cat /etc/passwd > /dev/null; ")
    one:wait():assert_ok()
    two:wait():assert_ok()
    local lines = {}
    for line in vm:read_file("/tmp/log"):gmatch("[^\n]*\n") do lines[#lines + 1] = line end
    table.sort(lines)
    return table.concat(lines)
end

local whole = "begin one end\nbegin one end\nbegin two end\nbegin two end\n"

test("wrong", function(t)
    t:assert_eq(log("printf 'begin WORD ' >> /tmp/log; printf 'end\\n' >> /tmp/log"), whole)
end)

test("right", function(t)
    t:assert_eq(log("printf 'begin WORD end\\n' >> /tmp/log"), whole)
end)
