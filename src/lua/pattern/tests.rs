//! The same calls to these functions and to Lua's own: the same results, the same errors.

use mlua::{Function, Lua, LuaString, Value};
use proptest::prelude::*;

use super::install_with;

/// Calls a function in a way that shows all of its results, or its error, in one string.
const SHOW: &str = "
    local name, arguments, count = ...
    local function show(...)
        local out = {}
        for i = 1, select('#', ...) do
            local value = select(i, ...)
            out[i] = type(value) .. ':' .. tostring(value)
        end
        return table.concat(out, '|')
    end
    if name == 'gmatch' then
        return show(pcall(function()
            local out, calls = {}, 0
            local function collect(...)
                if select('#', ...) == 0 then return end
                out[#out + 1] = show(...)
                calls = calls + 1
                return calls < 100
            end
            local next = string.gmatch(table.unpack(arguments, 1, count))
            while collect(next()) do end
            return table.concat(out, '/')
        end))
    end
    local found = show(pcall(string[name], table.unpack(arguments, 1, count)))
    return found .. show(pcall(function()
        local result, count = string[name](table.unpack(arguments, 1, count))
        return result, count
    end))";

struct Both {
    ours: Function,
    stock: Function,
    lua: (Lua, Lua),
}

impl Both {
    fn new() -> Both {
        let (ours, stock) = (Lua::new(), Lua::new());
        let look = ours.create_function(|_, _: bool| Ok(false)).expect("a function");
        install_with(&ours, look).expect("installs");
        let load = |lua: &Lua| lua.load(SHOW).set_name("=same").into_function().expect("loads");
        Both { ours: load(&ours), stock: load(&stock), lua: (ours, stock) }
    }

    /// Calls both with what the expression gives, an array of arguments.
    fn compare_lua(&self, name: &str, arguments: &str) {
        let call = |lua: &Lua, show: &Function| {
            let arguments: Value = lua.load(format!("return table.pack({arguments})")).eval().expect("arguments");
            let count: usize = arguments.as_table().and_then(|table| table.get("n").ok()).expect("a count");
            show.call::<LuaString>((name, arguments, count)).expect("shows").to_string_lossy()
        };
        let (ours, stock) = (call(&self.lua.0, &self.ours), call(&self.lua.1, &self.stock));
        assert_eq!(ours, stock, "{name}({arguments})");
    }
}

/// A string of Lua's source.
fn quoted(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escaped}\"")
}

const PARTS: [&str; 63] = [
    "a", "b", "c", "x", "1", " ", ".", "a", "b", ".", "%a", "%c", "%d", "%g", "%l", "%p", "%s", "%u", "%w", "%x", "%z",
    "%A", "%S", "%W", "%D", "[ab]", "[^a]", "[a-c]", "[%a_]", "[]]", "[^]a]", "[a-]", "[%]]", "[a-%z]", "[^", "[", "(",
    ")", "(", ")", "()", "%1", "%2", "%0", "%b()", "%bab", "%b", "%bx", "%f[%w]", "%f[^%z]", "%f[a]", "%f", "^", "$",
    "*", "+", "-", "?", "%", "%.", "%%", "\0", "\u{e9}",
];

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..9).prop_map(|parts| parts.concat().into_bytes())
}

fn subject() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"aaabbbcAx1 ._()[]%-\0\xe9\n\x0b".to_vec()), 0..16)
}

fn replacement() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec!["", "x", "%0", "%1", "%2", "<%1>", "%%", "%", "%a", "-%1%1", "\0"]);
    prop_oneof![
        text.prop_map(|text| quoted(text.as_bytes())),
        Just("12".to_owned()),
        Just("{a = 'A', b = 1, ab = false, x = {}, [1] = 'one', [''] = 'empty'}".to_owned()),
        Just("setmetatable({}, {__index = function(_, key) return key == 'b' and 'B' or nil end})".to_owned()),
        Just("function(...) local a, b = ... return select('#', ...) .. tostring(a) .. tostring(b) end".to_owned()),
        Just(
            "function(a) if a == 'a' then return nil elseif a == 'b' then return false else return a end end"
                .to_owned()
        ),
        Just("function(a) if a == 'b' then return {} end end".to_owned()),
        Just("function(a) if a == 'b' then error('no b') end end".to_owned()),
        Just("nil".to_owned()),
        Just("true".to_owned()),
    ]
}

thread_local! {
    static BOTH: Both = Both::new();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn find_and_match_are_those_of_lua(
        subject in subject(), pattern in pattern(), init in prop::option::of(-20_i64..20), plain in any::<bool>(),
    ) {
        let init = init.map_or_else(|| "nil".to_owned(), |init| init.to_string());
        let arguments = format!("{}, {}, {init}", quoted(&subject), quoted(&pattern));
        BOTH.with(|both| {
            both.compare_lua("find", &format!("{arguments}, {plain}"));
            both.compare_lua("match", &arguments);
            both.compare_lua("gmatch", &arguments);
        });
    }

    #[test]
    fn gsub_is_that_of_lua(
        subject in subject(), pattern in pattern(), replacement in replacement(), most in prop::option::of(-1_i64..5),
    ) {
        let most = most.map_or_else(|| "nil".to_owned(), |most| most.to_string());
        let arguments = format!("{}, {}, {replacement}, {most}", quoted(&subject), quoted(&pattern));
        BOTH.with(|both| both.compare_lua("gsub", &arguments));
    }
}

#[test]
fn wrong_arguments_and_limits_are_those_of_lua() {
    let both = Both::new();
    for arguments in [
        "",
        "'a'",
        "'a', nil",
        "nil, 'a'",
        "{}, 'a'",
        "'a', {}",
        "12, 2",
        "'a', 'a', 'x'",
        "'a', 'a', 1.5",
        "'a', 'a', 2^53",
        "'a', 'a', math.mininteger",
        "'a', 'a', math.maxinteger",
        "'a', 'a', 'b', 'c'",
        "'a', 'a', 'b', 1.5",
        "'a', 'a', io.stdout",
        "'a', 'a', setmetatable({}, {__name = 'Mine'})",
        "'a', 'a', print, 0",
        "'', ''",
        "'abc', '', '-'",
        "'abc', '^', '-'",
        "'abc', '^a', '-'",
        "'aaa', '^a', '-'",
        "('a'):rep(300), ('a?'):rep(300)",
        "('a'):rep(300), ('a?'):rep(199), 'x'",
        "('a'):rep(300), ('a-'):rep(200), 'x'",
        "('a'):rep(50), ('(a)'):rep(32), '%9'",
        "('a'):rep(50), ('(a)'):rep(33), 'x'",
        "('a'):rep(50), ('()'):rep(32), 'x'",
        "('x'):rep(100000) .. 'y', '.-y', 'z'",
        "('x'):rep(100000) .. 'y', 'x*y', '%0%0'",
        "('(' ):rep(1000) .. (')'):rep(1000), '%b()', 'z'",
        "('abc '):rep(5000), '%w+', '<%0>'",
        "('abc '):rep(5000), '(%w)(%w+)', '%2%1', 4000",
        "('a,b;c'):rep(10), '[,;]', {[','] = ';', [';'] = ','}",
        "'hello world', 'o w', nil, true",
        "'hello.world', '.', 3, true",
        "'THE (quick) fox', '%((%a+)%)', 1",
        "'key = value', '^(%w+)%s*=%s*(%w+)$', 1",
        "'\\0a\\0b', '\\0b', 1",
        "'a\\0b', '[\\0-\\1]', 1",
    ] {
        for name in ["find", "match", "gmatch", "gsub"] {
            both.compare_lua(name, arguments);
        }
    }
}

#[test]
fn errors_name_the_line_and_the_function() {
    let both = Both::new();
    let program = "
        local ok, e = pcall(function()
            return ('x'):find('[')
        end)
        local _, f = pcall(function() return ('x'):gsub('x', '%9') end)
        local _, g = pcall(function() return ('x').gmatch() end)
        local _, h = pcall(function() return ('x'):rep(2):match({}) end)
        local _, i = pcall(string.gsub, 'x', 'x')
        return table.concat({e, f, g, h, i}, '\\n')";
    let run = |lua: &Lua| lua.load(program).set_name("=same").eval::<String>().expect("runs");
    assert_eq!(run(&both.lua.0), run(&both.lua.1));
}

#[test]
fn steps_are_charged_wherever_matching_goes_on() {
    let lua = Lua::new();
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&count);
    let look = lua.create_function(move |_, _: bool| {
        seen.set(seen.get() + 1);
        if seen.get() > 50 { Err(mlua::Error::runtime("time is up")) } else { Ok(false) }
    });
    install_with(&lua, look.expect("a function")).expect("installs");
    for endless in [
        "('x'):rep(50):find(('.-'):rep(20) .. 'b')",
        "('x'):rep(50):match(('x*'):rep(20) .. 'b')",
        "('x'):rep(50):gmatch(('[xy]*'):rep(20) .. 'b')()",
        "('x'):rep(50):gsub(('x?'):rep(150) .. 'b', '')",
        "('x'):rep(50):gsub(('(x-)'):rep(20) .. 'b', '')",
        "('('):rep(1000000):find('%b()')",
        "('x'):rep(100000):find('[' .. ('y'):rep(100000) .. ']')",
        "('x'):rep(1000000):find('.-.-b')",
        "('x'):rep(1000000):find('(.*)%1b')",
    ] {
        count.set(0);
        let error = lua.load(endless).exec().expect_err("ends");
        assert!(error.to_string().contains("time is up"), "{endless}: {error}");
    }
    count.set(0);
    lua.load("for _ = 1, 1000 do assert(('some text'):find('(t)(e)')) end").exec().expect("matches");
    assert!((1..=3).contains(&count.get()), "short matches count together: {}", count.get());
}

/// Not a comparison of times, which differ from run to run: what is common must not take many steps.
#[test]
fn what_cannot_match_is_passed_over() {
    let lua = Lua::new();
    let look = lua.create_function(|_, _: bool| Err::<bool, _>(mlua::Error::runtime("too many steps")));
    install_with(&lua, look.expect("a function")).expect("installs");
    let program = "
        local s = ('x'):rep(100000)
        assert(not s:find('yes'))
        assert(not s:match('y%d+'))
        assert(s:gsub('%.', '') == s)";
    lua.load(program).exec().expect("few steps");
}
