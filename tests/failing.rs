//! Tests that must fail: each file of `tests/lua-failing` says in its first lines how the command must end and
//! what its report must say.
//!
//! ```lua
//! -- exit: 1
//! -- says: a text that the report holds
//! ```

#[path = "common/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};

struct Expected {
    exit: i32,
    says: Vec<String>,
}

fn read(path: &Path) -> Expected {
    let source = fs::read_to_string(path).expect("a file of the repository can be read");
    let marked = |mark: &'static str| source.lines().filter_map(move |line| line.strip_prefix(mark));
    let exit = marked("-- exit: ").next().and_then(|code| code.parse().ok());
    let says: Vec<String> = marked("-- says: ").map(str::to_owned).collect();
    assert!(!says.is_empty(), "{} does not say what its report must say", path.display());
    Expected { exit: exit.unwrap_or_else(|| panic!("{} has no `-- exit: N`", path.display())), says }
}

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua-failing");
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".test.lua"));
    files.sort();
    files
}

/// What is wrong with the command's answer, if anything is.
fn complaint(path: &Path) -> Option<String> {
    let expected = read(path);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = command::provium(root, &[&path.to_string_lossy()]);
    let mut wrong: Vec<String> = expected
        .says
        .iter()
        .filter(|text| !output.text.contains(*text))
        .map(|text| format!("it does not say `{text}`"))
        .collect();
    if output.code != Some(expected.exit) {
        wrong.push(format!("it ended with {:?}, not with {}", output.code, expected.exit));
    }
    if output.text.contains("panicked") {
        wrong.push("it panicked".to_owned());
    }
    (!wrong.is_empty()).then(|| format!("{}:\n  {}\n{}", path.display(), wrong.join("\n  "), output.text))
}

#[test]
fn each_file_fails_as_it_says() {
    let files = files();
    assert!(files.len() >= 20, "only {} files", files.len());
    let complaints: Vec<String> = files.iter().filter_map(|path| complaint(path)).collect();
    assert!(complaints.is_empty(), "{} of {} are wrong\n\n{}", complaints.len(), files.len(), complaints.join("\n"));
}
