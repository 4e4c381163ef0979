//! What recording a run costs in instructions, of the command from the start of its process to its end.
//!
//! `cargo bench --bench recording_instructions`. Unlike a time, their number is nearly the same each time. valgrind counts
//! them, if it is there: of the command's own code, not of the kernel's, and each byte of a long copy as one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is run, each file in a process of its own.
const FILES: [&str; 5] = [
    "benches/lua/racy_files.test.lua",
    "benches/lua/racy_shell.test.lua",
    "tests/lua/file.test.lua",
    "tests/lua/worker.test.lua",
    "tests/lua/stream.test.lua",
];

/// A file whose run is hardly more than the start of the command.
const NOTHING: &str = "test(\"nothing\", function() end)\n";

/// How many instructions valgrind has seen, as it says itself.
fn counted(said: &str) -> Option<u64> {
    let (_, number) = said.lines().find_map(|line| line.split_once("Collected : "))?;
    number.trim().parse().ok()
}

/// Instructions of the command on this file; the traces go into `traces`.
fn instructions(file: &Path, record: &str, traces: &Path) -> u64 {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_provium")]);
    command.args(["--quiet", "--seed", "1", "--record", record]).arg(file).current_dir(&root);
    if record != "never" {
        command.arg("--traces").arg(traces);
    }
    let output = command.output().expect("valgrind has started before");
    let said = String::from_utf8_lossy(&output.stderr);
    counted(&said).unwrap_or_else(|| panic!("valgrind did not count: {said}"))
}

fn main() {
    let there = Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        println!("instructions were not counted: there is no valgrind (`apt-get install valgrind`)");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let nothing = directory.path().join("nothing.test.lua");
    std::fs::write(&nothing, NOTHING).expect("the directory takes files");
    let traces = directory.path().join("traces");
    let start = instructions(&nothing, "never", &traces);
    println!("the command starts and ends in {start} instructions, which are not counted below");
    for file in FILES {
        let plain = instructions(Path::new(file), "never", &traces).saturating_sub(start);
        let kept = instructions(Path::new(file), "always", &traces).saturating_sub(start);
        let added = (kept as f64 / plain as f64 - 1.0) * 100.0;
        println!("{file}: {plain} without recording, {kept} with: {added:.1} % more");
    }
}
