//! `docs/lua.md` and `docs/provium.d.lua` against the bindings: what one has, the others have; and what the page shows
//! as an example runs.

#[path = "common/command.rs"]
mod command;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The classes of the bindings: what messages begin with, and what the editors' types are called.
const CLASSES: &[(&str, &str)] = &[
    ("", ""),
    ("batch:", "Batch:"),
    ("co.", "co."),
    ("console:", "Console:"),
    ("file:", "File:"),
    ("json.", "json."),
    ("lab:", "Lab:"),
    ("p:", "Program:"),
    ("proc:", "Process:"),
    ("provium.sim:", "Sim:"),
    ("result:", "RunResult:"),
    ("stream:", "Stream:"),
    ("t:", "T:"),
    ("task:", "Task:"),
    ("vm:", "VM:"),
    ("worker:", "Worker:"),
];

/// What is Lua's own and only replaced: the page must name it, the editors know it already.
const STANDARD: &[&str] = &["os.", "io.", "math.", "debug.", "f:"];

/// Globals that are not written in Rust, or are Lua's own.
const IN_THE_PRELUDE: &[&str] = &["wait_until", "require", "print"];
const LUAS_OWN: &[&str] = &["require", "print", "dofile", "loadfile"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a regular expression of this file")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The bindings' names by their class, read off the static tables of `src/lua`.
fn bindings() -> BTreeMap<String, BTreeSet<String>> {
    let table = pattern(
        r#"(?ms)^(?:pub )?static \w+: Class =\s*Class \{\s*prefix: "([^"]*)",\s*entries: &\[(.*?)\n?\s*\]\s*,?\s*\};"#,
    );
    let entry = pattern(r#"\b(?:now|later|prelude|add|step)\(\s*"(\w+)","#);
    let mut files = Vec::new();
    rust_files(&root().join("src/lua"), &mut files);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a file of the repository");
        let tables = table.captures_iter(&text).count();
        let declared = pattern(r"(?m)^\S.*: Class =").find_iter(&text).count();
        assert_eq!(tables, declared, "{}: a table of bindings is not written as the others are", path.display());
        // What only the prelude calls is nobody else's business.
        let internal = path.ends_with("native.rs") || path.ends_with("session.rs");
        for captures in table.captures_iter(&text).filter(|captures| !internal && &captures[1] != "vm.") {
            let names = found.entry(captures[1].to_owned()).or_default();
            names.extend(entry.captures_iter(&captures[2]).map(|captures| captures[1].to_owned()));
        }
    }
    found.entry(String::new()).or_default().extend(IN_THE_PRELUDE.iter().map(|&name| name.to_owned()));
    found
}

/// The names of one class in a text whose signatures the expression finds: class with its separator, then name.
fn documented(text: &str, signature: &Regex) -> BTreeSet<(String, String)> {
    signature.captures_iter(text).map(|captures| (captures[1].to_owned(), captures[2].to_owned())).collect()
}

fn compare(what: &str, expected: &BTreeSet<(String, String)>, found: &BTreeSet<(String, String)>) {
    let list = |names: Vec<&(String, String)>| {
        names.iter().map(|(class, name)| format!("{class}{name}")).collect::<Vec<_>>().join(", ")
    };
    let (missing, absent) = (list(expected.difference(found).collect()), list(found.difference(expected).collect()));
    assert!(missing.is_empty(), "{what} does not have: {missing}");
    assert!(absent.is_empty(), "{what} has what no binding has: {absent}");
}

#[test]
fn the_bindings_have_no_class_that_nobody_knows() {
    let known: BTreeSet<&str> = CLASSES.iter().map(|(class, _)| *class).chain(STANDARD.iter().copied()).collect();
    let bindings = bindings();
    let unknown: Vec<&String> = bindings.keys().filter(|class| !known.contains(class.as_str())).collect();
    assert!(unknown.is_empty(), "name these in CLASSES, and document them: {unknown:?}");
    assert!(bindings["vm:"].len() > 30, "the tables of src/lua are not read rightly: {bindings:?}");
}

#[test]
fn the_page_has_every_method_and_no_other() {
    let page = read("docs/lua.md");
    let found = documented(&page, &pattern(r"\*\*`((?:provium\.)?(?:\w+[:.])?)(\w+)\("));
    let expected = bindings().iter().flat_map(pairs).collect();
    compare("docs/lua.md", &expected, &found);
}

fn pairs((class, names): (&String, &BTreeSet<String>)) -> Vec<(String, String)> {
    names.iter().map(|name| (class.clone(), name.clone())).collect()
}

#[test]
fn the_editors_types_have_every_method_and_no_other() {
    let types = read("docs/provium.d.lua");
    let found = documented(&types, &pattern(r"(?m)^function ((?:\w+[:.])?)(\w+)\("));
    let type_of: BTreeMap<&str, &str> = CLASSES.iter().copied().collect();
    let expected = bindings()
        .iter()
        .flat_map(pairs)
        .filter(|(class, name)| !(class.is_empty() && LUAS_OWN.contains(&name.as_str())))
        .filter_map(|(class, name)| Some(((*type_of.get(class.as_str())?).to_owned(), name)))
        .collect();
    compare("docs/provium.d.lua", &expected, &found);
}

#[test]
fn the_page_and_the_types_name_every_option() {
    let (page, types) = (read("docs/lua.md"), read("docs/provium.d.lua"));
    let list =
        pattern(r#"(?s)(?:_OPTIONS: &\[&str\] =\s*&\[|\.options\(\d+, &\[|Options::read\([^\[]*?&\[)([^\]]*)\]"#);
    let word = pattern(r#""(\w+)""#);
    let mut files = Vec::new();
    rust_files(&root().join("src/lua"), &mut files);
    let mut names = BTreeSet::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a file of the repository");
        for captures in list.captures_iter(&text) {
            names.extend(word.captures_iter(&captures[1]).map(|captures| captures[1].to_owned()));
        }
    }
    assert!(names.len() > 30, "the options of src/lua are not read rightly: {names:?}");
    // What is refused as future work has no type.
    let typed = names.iter().filter(|name| !["thread", "process"].contains(&name.as_str()));
    let untyped: Vec<&String> = typed.filter(|name| !pattern(&format!(r"\b{name}\b")).is_match(&types)).collect();
    assert!(untyped.is_empty(), "docs/provium.d.lua does not have the options {untyped:?}");
    let unsaid: Vec<&String> =
        names.iter().filter(|name| !pattern(&format!(r"`[^`\n]*\b{name}\b")).is_match(&page)).collect();
    assert!(unsaid.is_empty(), "docs/lua.md does not have the options {unsaid:?}");
}

/// What the examples take as given.
const SETTING: &str = r#"
    local vm = provium:vm("v", "linux"):boot()
    vm:run("mkfifo /tmp/fifo; touch /tmp/ready"):assert_ok()
    local other = vm:open_file("/tmp/lock", {write = true, create = true})
    other:lock("exclusive")
    local fd = vm:open_file("/tmp/lock", {read = true}):fd()
"#;

#[test]
fn the_examples_run() {
    let page = read("docs/lua.md");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let block = pattern(r"(?s)```lua\n(.*?)```");
    for (at, captures) in block.captures_iter(&page).enumerate() {
        let example = &captures[1];
        let source = match pattern(r"(?m)^test\(").is_match(example) {
            true => example.to_owned(),
            false => format!("test(\"example\", function(t)\n{SETTING}\n{example}\nend)\n"),
        };
        let name = format!("example{at}.test.lua");
        fs::write(directory.path().join(&name), source).expect("a file can be written");
        let output = command::provium(directory.path(), &[&name]);
        assert_eq!(output.code, Some(0), "{example}\n{}", output.text);
    }
    // The types are Lua, if only for editors.
    let types =
        format!("{}\ntest(\"types\", function() end)\n", read("docs/provium.d.lua").replace("provium = {}", ""));
    fs::write(directory.path().join("types.test.lua"), types).expect("a file can be written");
    let output = command::provium(directory.path(), &["types.test.lua"]);
    assert!(!output.text.contains("near"), "docs/provium.d.lua is not Lua:\n{}", output.text);
}
