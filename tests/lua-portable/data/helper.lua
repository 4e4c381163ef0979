local name, file = ...
return {
    name = name,
    file = file,
    trace = function() return debug.traceback() end,
    fail = function() error("failed") end,
}
