-- exit: 1
-- says: timed out after 500ms
-- says: 1 failed
-- says: 2 passed
-- provium.timeout is the default of the file's tests; their own meta wins.
provium.timeout = "500ms"
local vm = provium:vm("v", "linux"):boot()

test("takes the file's", function() vm:run("sleep 2") end)
test("has its own", { timeout = "10s" }, function() vm:run("sleep 2") end)
test("is quick", function() vm:run("true") end)
