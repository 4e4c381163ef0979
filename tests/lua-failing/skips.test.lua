-- exit: 0
-- says: 4 skipped
-- says: because of the weather
-- says: not yet written
-- says: only for the backend qemu
-- Skipped tests say why.
test("by itself", function(t) t:skip("because of the weather") end)
test("by meta", { skip = "not yet written" }, function(t) t:fail() end)
test("by backend", { backend = "qemu" }, function(t) t:fail() end)
test("without a reason", { skip = true }, function(t) t:fail() end)
