//! The simulated kernel against the host's Linux: the same system calls by the same processes in a
//! scratch directory, and what each returned, and the tree that is left.
//!
//! Needs root on the host, since the processes live in a root directory of their own and some of them
//! are other users; without it the test says so and passes.
//!
//! The host's memory is safe: what is written and allocated is small, and the processes say that they
//! are the first to be ended should it run out.
//!
//! Known differences, which the generator or the comparison leaves out:
//! - following a symbolic link does not touch its access time: resolving a path changes nothing here;
//! - how much a socket holds: Linux counts its own bookkeeping, the simulator bytes;
//! - the order in which a directory is listed: by name here, by age on tmpfs;
//! - inode and device numbers;
//! - what kernels of different versions answer differently: attributes of the inode that eventfds share,
//!   writes of more than eight bytes to one, and `F_OFD_GETLK` with `F_UNLCK`;
//! - `fs.protected_regular` and `fs.protected_fifos` are always 0: on a host where they are not, no
//!   directory is sticky.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the host is what is compared with")]

mod generate;
mod host;
mod op;
mod perform;
mod regressions;
mod sim;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use host::Host;
use op::Op;
use perform::name_processes;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use sim::Sim;

/// Processes at most.
const PROCESSES: usize = 4;

/// What a case depends on besides its operations.
#[derive(Clone, Copy, Debug)]
struct Settings {
    /// The permissions of the root directory.
    mode: u32,
    protected_hardlinks: bool,
    protected_symlinks: bool,
    /// Whether a sticky directory means the same on both sides.
    sticky: bool,
}

impl Settings {
    fn of_host() -> Settings {
        let on = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/fs/protected_{name}")).unwrap_or_default();
            text.trim() != "0" && !text.is_empty()
        };
        Settings {
            mode: 0o777,
            protected_hardlinks: on("hardlinks"),
            protected_symlinks: on("symlinks"),
            sticky: !on("regular") && !on("fifos"),
        }
    }

    /// The operation without what the two sides do differently on purpose.
    fn allow(&self, op: Op) -> Op {
        let plain = |mode: u32| if self.sticky { mode } else { mode & !0o1000 };
        match op {
            Op::Mkdir(path, mode) => Op::Mkdir(path, plain(mode)),
            Op::MkdirAt(fd, path, mode) => Op::MkdirAt(fd, path, plain(mode)),
            Op::Chmod(path, mode, flags) => Op::Chmod(path, plain(mode), flags),
            Op::Fchmod(fd, mode) => Op::Fchmod(fd, plain(mode)),
            // Newer kernels take this for a question about any lock at all.
            Op::Lock(fd, libc::F_OFD_GETLK, 2, whence, start, len) => {
                Op::Lock(fd, libc::F_OFD_GETLK, 1, whence, start, len)
            }
            other => other,
        }
    }
}

/// One copy of every text that was ever used as a path, so that operations can be copied.
fn intern(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    match texts.get(text) {
        Some(known) => known,
        None => {
            let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
            texts.insert(leaked);
            leaked
        }
    }
}

/// Runs operations on both sides; how they differ, if they do.
fn compare(settings: &Settings, ops: &[(usize, Op)]) -> Result<(), String> {
    let ops: Vec<(usize, Op)> = ops.iter().map(|(at, op)| (*at, settings.allow(*op))).collect();
    let (mut host, sim) = (Host::start(settings, &ops), Sim::start(settings));
    let mut alive = [false; PROCESSES];
    alive[0] = true;
    let mut log = String::new();
    for (number, (at, op)) in ops.iter().enumerate() {
        let possible = match op {
            // The first process stays, to look at what is left.
            Op::Exit => *at != 0,
            Op::Fork(to, _) => !alive[*to],
            _ => true,
        };
        if !alive[*at] || !possible {
            continue;
        }
        let expected = name_processes(&host.perform(*at, number, *op), host.pids());
        let simulated = name_processes(&sim.perform(*at, *op), &sim.pids());
        if expected != simulated {
            return Err(format!("{log}({at}, {op:?})\n  Linux:     {expected}\n  simulator: {simulated}"));
        }
        log.push_str(&format!("({at}, {op:?}),  // {expected}\n"));
        match op {
            Op::Exit => alive[*at] = false,
            Op::Fork(to, _) => alive[*to] = true,
            _ => {}
        }
    }
    let (expected, simulated) = (host.tree(), sim.tree());
    if expected == simulated {
        return Ok(());
    }
    Err(format!("{log}the tree that is left:\n  Linux:\n{expected}\n  simulator:\n{simulated}"))
}

/// Held while a test makes processes: they are copies of the whole test, so what another test's thread had
/// open or locked would stay so in them.
static ALONE: Mutex<()> = Mutex::new(());

/// Whether the host lets the test make its processes.
fn can_run() -> bool {
    // SAFETY: asks for the user.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        eprintln!("not root: the comparison with the host's Linux is left out");
    }
    root
}

#[test]
fn random_operations_come_to_the_same() {
    if !can_run() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut config = Config::with_cases(400);
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct("tests/against_linux/regressions.txt")));
    config.max_shrink_iters = 4_000;
    let settings = Settings::of_host();
    let strategy = (generate::ops(), proptest::sample::select(vec![0o777, 0o755, 0o1777]));
    let result = TestRunner::new(config).run(&strategy, |(ops, mode)| {
        let mode = if settings.sticky { mode } else { mode & 0o777 };
        compare(&Settings { mode, ..settings }, &ops).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn differences_that_were_found_stay_away() {
    if !can_run() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let settings = Settings::of_host();
    let mut found = String::new();
    for (name, ops) in regressions::CASES {
        if let Err(difference) = compare(&settings, ops) {
            found.push_str(&format!("{name}:\n{difference}\n"));
        }
    }
    assert!(found.is_empty(), "{found}");
}
