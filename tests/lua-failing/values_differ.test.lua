-- exit: 1
-- says: values_differ.test.lua:17
-- says: expected two lines
-- says: "one\n"
-- says: "one\ntwo\n"
-- says: t:assert_eq(r.stdout, "one\ntwo\n", "expected two lines")
-- says: run("echo one")
-- says: exit 0
-- says: 1 failed
-- says: 1 passed
-- says: provium
-- says: --filter
-- A failed assertion shows both values, its line in the source, and the operations before it.
test("the output has two lines", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local r = vm:run("echo one")
    t:assert_eq(r.stdout, "one\ntwo\n", "expected two lines")
end)

test("the next test runs", function(t) t:assert(true) end)
