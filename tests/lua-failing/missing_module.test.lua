-- exit: 2
-- says: no_such_module
-- says: missing_module.test.lua:5
-- A module that is not there.
require("no_such_module")
