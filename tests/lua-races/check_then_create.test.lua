-- Two processes want to be the only one: each looks whether the other was there first.
local function owners(claim)
    local vm = provium:vm("v", "linux"):boot()
    local one = vm:spawn_worker():run_async(claim)
    local two = vm:spawn_worker():run_async(claim)
    return one:wait():assert_ok().stdout .. two:wait():assert_ok().stdout
end

test("wrong", function(t)
    t:assert_eq(owners("if [ ! -e /tmp/owner ]; then echo $$ > /tmp/owner; echo mine; fi"), "mine\n")
end)

test("right", function(t)
    -- noclobber: the shell opens with O_EXCL, so looking and making are one step.
    t:assert_eq(owners("if (set -C; echo $$ > /tmp/owner) 2> /dev/null; then echo mine; fi"), "mine\n")
end)
