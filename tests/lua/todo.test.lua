-- todo() skips every test of its file.
todo("these tests are to show that they are not run")

test("would fail if it ran", function(t) t:fail("it ran") end)
test("would fail as well", function() error("it ran") end)
