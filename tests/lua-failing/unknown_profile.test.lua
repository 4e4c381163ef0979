-- exit: 1
-- says: unknown_profile.test.lua:8
-- says: no-such-profile
-- says: linux
-- says: 1 failed
-- A profile that is not there is named, and those that are.
test("boots what is not there", function()
    provium:vm("v", "no-such-profile")
end)
