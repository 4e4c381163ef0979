-- exit: 1
-- says: writer
-- says: ENOENT
-- says: error_in_worker.test.lua:9
-- The operations of a report name the worker.
test("a worker meets an error", function()
    local vm = provium:vm("v", "linux"):boot()
    vm:with_worker({ name = "writer" }, function(w)
        w:open_file("/no/such/file", { read = true })
    end)
end)
