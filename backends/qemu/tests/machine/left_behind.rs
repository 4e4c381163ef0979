//! A runner that is killed leaves nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::guest::{PATIENCE, host};

/// Set in the process that is to be killed.
const ROLE: &str = "PROVIUM_TEST_TO_BE_KILLED";
/// What that process prints before QEMU's pid.
const MARK: &str = "the machine's process is ";

/// Whether a process of this number lives; one that waits for its parent's `wait` does not.
pub fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test]
async fn a_killed_runner_leaves_nothing() {
    let Some(host) = host().await else { return };
    if std::env::var_os(ROLE).is_some() {
        let (machine, _shell) = host.booted(host.spec("orphan")).await;
        println!("{MARK}{}", machine.pid().unwrap());
        std::future::pending::<()>().await;
    }
    let folders = ["tmp", "runtime", "cache"].map(|name| (name, tempfile::tempdir().unwrap()));
    let mut runner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "left_behind::a_killed_runner_leaves_nothing", "--nocapture"])
        .env(ROLE, "1")
        .env("TMPDIR", folders[0].1.path())
        .env("XDG_RUNTIME_DIR", folders[1].1.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = BufReader::new(runner.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once(MARK).map(|(_, pid)| pid.to_owned()));
    let Some(pid) = pid else {
        runner.kill().unwrap();
        panic!("the runner started no machine: {}", runner.wait().unwrap());
    };
    assert!(lives(&pid));
    runner.kill().unwrap();
    runner.wait().unwrap();
    let begun = Instant::now();
    while lives(&pid) {
        assert!(begun.elapsed() < PATIENCE, "QEMU outlives its runner");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (name, folder) in &folders {
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "left in {name}: {left:?}");
    }
}
