//! The invariants of `docs/architecture.md` that can be read off the source.

use std::fs;
use std::path::{Path, PathBuf};

/// One concern a file: more lines than this have always been two.
const LONGEST_FILE: usize = 800;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no Rust file below {}", below.display());
    found.sort();
    found
}

/// Lines of a file that contain one of the needles, comments left out.
fn lines_with(path: &Path, needles: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, line)| needles.iter().any(|needle| line.contains(needle)))
        .map(|(at, line)| format!("{}:{}: {}", path.display(), at + 1, line.trim()))
        .collect()
}

fn assert_none(what: &str, hits: Vec<String>) {
    assert!(hits.is_empty(), "{what}:\n{}", hits.join("\n"));
}

/// The provium crates that a crate's manifest names under `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.to_owned();
        } else if section == "[dependencies]"
            && let Some(name) = line.split(['=', '.', ' ']).next().filter(|name| name.starts_with("provium-"))
        {
            found.push(name.to_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn dependencies_point_one_way() {
    let allowed: &[(&str, &[&str])] = &[
        ("backends/protocol/Cargo.toml", &[]),
        ("backends/agent/Cargo.toml", &["provium-protocol"]),
        ("backends/sim/kernel/Cargo.toml", &["provium-protocol"]),
        ("backends/sim/programs/Cargo.toml", &["provium-kernel", "provium-protocol"]),
        ("backends/agent/linux/Cargo.toml", &["provium-agent", "provium-protocol"]),
        ("backends/qemu/Cargo.toml", &["provium-protocol"]),
        ("backends/sim/Cargo.toml", &["provium-agent", "provium-kernel", "provium-programs", "provium-protocol"]),
    ];
    for (manifest, may) in allowed {
        for dependency in dependencies(manifest) {
            assert!(may.contains(&dependency.as_str()), "{manifest} depends on {dependency}");
        }
    }
}

#[test]
fn the_bindings_do_not_know_the_backend() {
    let mut hits = Vec::new();
    for folder in ["src/lua", "src/exec", "src/runner"] {
        for file in rust_files(&root().join(folder)) {
            hits.extend(lines_with(
                &file,
                &["provium_sim", "provium_kernel", "provium_qemu", "SimBackend", "QemuBackend"],
            ));
        }
    }
    assert_none("the bindings name a backend", hits);
}

#[test]
fn lua_stays_in_its_folder() {
    let mut hits = Vec::new();
    for file in rust_files(&root().join("src")) {
        if !file.starts_with(root().join("src/lua")) {
            hits.extend(lines_with(&file, &["mlua::", "use mlua"]));
        }
    }
    assert_none("Lua types outside of src/lua", hits);
}

#[test]
fn a_test_gets_nothing_of_the_host_but_through_one_door() {
    // The runner reads the host's clock for its reports, and directories to find tests: not for Lua.
    let needles =
        ["std::fs", "std::env", "std::net", "std::process", "std::time", "SystemTime", "RandomState", "HashMap"];
    let mut hits = Vec::new();
    for folder in ["src/lua", "src/exec"] {
        for file in rust_files(&root().join(folder)) {
            hits.extend(lines_with(&file, &needles));
        }
    }
    assert_none("the bindings reach for the host", hits);
}

#[test]
fn files_stay_small() {
    let long: Vec<String> = ["src", "backends", "tests", "benches"]
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.exists())
        .flat_map(|folder| rust_files(&folder))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{} has {lines} lines", file.display()))
        })
        .collect();
    assert_none("files that hold more than one concern", long);
}

#[test]
fn nothing_is_left_open() {
    // Written in two parts, so that this file does not find itself.
    let needles: Vec<String> = [("#[ig", "nore"), ("todo", "!("), ("unimple", "mented!(")]
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .collect();
    let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
    let mut hits = Vec::new();
    for folder in ["src", "backends", "tests"] {
        for file in rust_files(&root().join(folder)) {
            hits.extend(lines_with(&file, &needles));
        }
    }
    assert_none("left open", hits);
}
