//! `io` reads files of the host as stock Lua 5.4 does: the same scripts, against Lua's own library and against ours.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use provium::runner::event::{Event, Verdict};
use provium::runner::file::{FileOptions, FileToRun, run_file};
use provium_protocol::choice::Fixed;
use provium_sim::SimBackend;

/// What is read: line ends of all kinds, numerals and what only begins like one.
const CONTENTS: [&[u8]; 9] = [
    b"",
    b"\n",
    b"one\ntwo\r\n\nthree",
    b"1 2.5 -3 +4 0x10 0x1p4 0x.8 1e3 1e+ .5 . -.5e-1 0x 0xg 12abc nan inf 1e999 99999999999999999999\n7",
    b"  \t\n\x0b\x0c 42rest -",
    b"\0zero\0\nbytes\xff\xfe\n\0",
    b"0xffffffffffffffff 0x7fffffffffffffffff 9223372036854775807 9223372036854775808 1,5 1..2 --1 1e1.5\n",
    b"no end",
    b"a\n\n\n\n",
];

/// Calls that are made one after another on an open file, in random order.
const CALLS: [&str; 26] = [
    "f:read()",
    "f:read('l')",
    "f:read('L')",
    "f:read('n')",
    "f:read('a')",
    "f:read(0)",
    "f:read(1)",
    "f:read(3.0)",
    "f:read(1000)",
    "f:read('n', 'n', 'l')",
    "f:read('*l', '*n', '*a')",
    "f:read('line', 'number')",
    "f:read('a', 'a')",
    "f:read('a', 'l', 'a')",
    "f:read(2, 'L', 1)",
    "f:seek()",
    "f:seek('set')",
    "f:seek('cur', -2)",
    "f:seek('end', -3)",
    "f:seek('set', 5)",
    "f:seek('end', 10)",
    "f:seek('set', -1)",
    "f:seek('cur', 1)",
    "f:lines()()",
    "f:lines('n')()",
    "f:lines(1, 'L')()",
];

/// Shows the results of calls in a way that tells integers from floats and leaves out what errors are called.
const SHOW: &str = "
    local log = {}
    local function show(...)
        local texts = {}
        for i = 1, select('#', ...) do
            local v = (select(i, ...))
            texts[i] = math.type(v) or type(v)
            if type(v) == 'string' or type(v) == 'number' then texts[i] = string.format('%s %q', texts[i], v) end
        end
        log[#log + 1] = table.concat(texts, ', ')
    end
    local function try(fn, ...)
        local results = table.pack(pcall(fn, ...))
        if results[1] then show(table.unpack(results, 2, results.n)) else show('raises') end
    end
";

/// What is the same for every content.
const FIXED: &str = "
    show(io.type(1), io.type({}), io.type(nil))
    local f = io.open(path)
    show(io.type(f))
    try(function() return f:read('x') end)
    try(function() return f:read({}) end)
    try(function() return f:seek('nowhere') end)
    try(function() return f:lines('y')() end)
    show(f:close())
    show(io.type(f), tostring(f))
    for _, call in ipairs { 'read', 'lines', 'seek', 'close' } do try(function() return f[call](f) end) end
    try(function() return io.close(f) end)
    show(io.close(io.open(path, 'rb')))
    for _, mode in ipairs { 'x', 'rw', 'r+x', '', 'br', 'rbb' } do try(io.open, path, mode) end
    for line in io.lines(path) do show(line) end
    for a, b in io.lines(path, 1, 'l') do show(a, b) end
    for n in io.lines(path, 'n') do show(n) end
    for line in io.lines(path, 'L') do show(line) break end
    local step = io.lines(path, 'a')
    show(step())
    local lines = io.lines(path)
    repeat local line = lines() until not line
    try(lines)
    do
        local kept
        do local closed <close> = io.open(path) kept = closed end
        show(io.type(kept))
    end
    local g = io.open(path)
    for line in g:lines() do show(line) end
    show(io.type(g), g:seek('set', 1), g:read(2))
    local missing, why, errno = io.open(path .. '.gone')
    show(missing, why == path .. '.gone: No such file or directory', errno)
    try(io.lines, path .. '.gone')
    try(io.open, nil)
    try(io.open, {})
";

/// A source of numbers that is the same in every run.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

fn script(path: &Path) -> String {
    let mut script = format!("local path = {:?}\n{SHOW}{FIXED}", path.display().to_string());
    for seed in 0..40 {
        let mut state = seed;
        script.push_str("do local f = io.open(path)\n");
        for _ in 0..12 {
            let call = CALLS[next(&mut state) % CALLS.len()];
            script.push_str(&format!("show('{}') try(function() return {call} end)\n", call.replace('\'', "\"")));
        }
        script.push_str("f:close() end\n");
    }
    script
}

fn stock(script: &str) -> Vec<String> {
    let lua = mlua::Lua::new();
    let log: Vec<mlua::LuaString> = lua.load(format!("{script}\nreturn log")).eval().expect("it runs in stock Lua");
    log.iter().map(|line| line.to_string_lossy()).collect()
}

fn ours(directory: &Path, script: &str) -> Vec<String> {
    let path = directory.join("x.test.lua");
    let source = format!("{script}\ntest('x', function(t) for _, line in ipairs(log) do t:log(line) end end)");
    fs::write(&path, source).expect("the test can be written");
    let file = FileToRun { name: "x.test.lua".into(), path, roots: Vec::new() };
    let mut log = Vec::new();
    let backend = Rc::new(SimBackend::new(Rc::new(Fixed::default())));
    run_file(&file, &FileOptions::default(), backend, &mut |event| match event {
        Event::Log { text, .. } => log.push(text),
        Event::FileFailed { failure, .. } => panic!("{failure:?}"),
        Event::TestFinished { verdict, .. } => assert_eq!(verdict, Verdict::Passed),
        _ => {}
    });
    log
}

#[test]
fn reading_is_as_in_stock_lua() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let digits = [b"1".repeat(199), b"2".repeat(200), b"3".repeat(201), b"0x".to_vec(), b"4".repeat(300)].join(&b' ');
    for content in CONTENTS.into_iter().chain([&digits[..]]) {
        let path = directory.path().join("content");
        fs::write(&path, content).expect("the content can be written");
        let script = script(&path);
        let (stock, ours) = (stock(&script), ours(directory.path(), &script));
        for (index, (stock, ours)) in stock.iter().zip(&ours).enumerate() {
            assert_eq!(ours, stock, "entry {index} of {}", content.escape_ascii());
        }
        assert_eq!(ours.len(), stock.len());
        assert!(stock.len() > 900, "only {} entries", stock.len());
    }
}

/// Runs a test file with one test in it and returns what it logs.
fn logs(body: &str) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory can be made");
    fs::write(directory.path().join("f"), "text").expect("a file can be written");
    ours(directory.path(), &format!("local log = {{}}\nlocal function say(x) log[#log + 1] = tostring(x) end\n{body}"))
}

#[test]
fn what_is_written_is_logged_and_files_are_not() {
    let log = logs(
        "io.write('one ', 2, ' ', 3.5, '\\n'):write('next')
         io.stdout:write('out'):write('more')
         io.stderr:write('err\\n')
         for _, mode in ipairs { 'w', 'a', 'r+', 'wb' } do say(select(2, pcall(io.open, 'f', mode))) end
         say(select(2, pcall(function() return io.open('f'):write('x') end)))
         for _, name in ipairs { 'read', 'input', 'output', 'popen', 'tmpfile', 'lines', 'close' } do
             say(select(2, pcall(io[name])))
         end
         say(select(2, pcall(function() return io.stdin:read() end)))
         say(select(2, pcall(function() return io.stdout:close() end)))
         say(io.open('f', 'r'):read('a'))",
    );
    assert_eq!(log[..6], ["one 2 3.5", "next", "out", "more", "err", log[5].as_str()]);
    for (index, line) in log.iter().enumerate().skip(5).take(5) {
        assert!(line.contains("t:log") && line.contains("vm:write_file"), "{index}: {line}");
    }
    for (index, line) in log.iter().enumerate().skip(10).take(8) {
        assert!(line.contains("is not there in a test"), "{index}: {line}");
    }
    assert!(log[18].contains("cannot be closed"), "{}", log[18]);
    assert_eq!(log[19..], ["text"]);
}

#[test]
fn too_large_files_are_refused_by_name_of_the_limit() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let large = fs::File::create(directory.path().join("large")).expect("a file can be made");
    large.set_len((64 << 20) + 1).expect("a sparse file");
    let log = ours(
        directory.path(),
        "local f, why, errno = io.open('large')
         local log = { tostring(f) .. ' ' .. why .. ' ' .. errno }",
    );
    assert_eq!(log, ["nil large: File too large (the limit is 67108864 bytes) 27"]);
}
