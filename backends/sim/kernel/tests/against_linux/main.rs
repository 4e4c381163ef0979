//! The simulated kernel against the host's Linux: the same system calls by the same processes in a
//! scratch directory, and what each returned, and the tree that is left.
//!
//! As root, the processes have the scratch directory as their root directory, and some are another user;
//! then the same again as an ordinary user, for whom paths stay inside without that. A user who is not
//! root runs the second half. The scratch directory is on tmpfs, which simulated file systems resemble to
//! the byte, and on a disk, of which less is compared.
//!
//! Processes take turns and no operation waits, so what happens first is never left to chance.
//! Without `PROPTEST_CASES` the cases are the same every time, so that a failure comes from a change and not
//! from luck; with it there are as many, and others every time: that is how differences are looked for.
//!
//! The host's memory is safe: what is written and allocated is small, and the processes say that they
//! are the first to be ended should it run out.
//!
//! Known differences, which the generator or the comparison leaves out:
//! - following a symbolic link does not touch its access time: resolving a path changes nothing here;
//! - how much a socket holds: Linux counts its own bookkeeping, the simulator bytes;
//! - the order in which a directory is listed: by name here, by age on tmpfs;
//! - inode and device numbers, which say nothing on another machine, and process ids, which are compared
//!   by who the process is in the test;
//! - times but those that utimensat(2) set: the clocks are not the same;
//! - data in the last page that a file can have, which Linux does not find because its arithmetic overflows;
//! - what kernels of different versions answer differently: attributes of the inode that eventfds share,
//!   writes of more than eight bytes to one, and `F_OFD_GETLK` with `F_UNLCK`; before Linux 6.6 also
//!   `O_CREAT` with `O_DIRECTORY`, and fchmodat2(2);
//! - `fs.protected_regular` and `fs.protected_fifos` are always 0: on a host where they are not, no
//!   directory is sticky;
//! - on a disk, what each file system does in its own way: lengths and links of directories, blocks and
//!   holes, allocating ahead, nameless files, the largest offset, access times (which the mount may turn
//!   off). Seals belong to tmpfs.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the host is what is compared with")]

mod generate;
mod host;
mod op;
mod perform;
mod regressions;
mod settings;
mod sim;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use host::Host;
use op::Op;
use perform::name_processes;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use settings::{Bench, Settings};
use sim::Sim;

/// Processes at most.
const PROCESSES: usize = 4;

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
    let ops: Vec<(usize, Op)> = ops.iter().filter_map(|(at, op)| Some((*at, settings.allow(*op)?))).collect();
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

/// Cases of random operations if `PROPTEST_CASES` does not say otherwise; they take some seconds.
const CASES: u32 = 1_000;

#[test]
fn random_operations_come_to_the_same() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let bench = Bench::of_host();
    // What is found becomes a case of `regressions`, which needs no file.
    let mut config = Config { max_shrink_iters: 4_000, failure_persistence: None, ..Config::default() };
    let mut runner = if std::env::var_os("PROPTEST_CASES").is_some() {
        TestRunner::new(config)
    } else {
        config.cases = CASES;
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let who = proptest::sample::select(bench.settings.clone());
    let strategy = (generate::ops(), who, proptest::sample::select(vec![0o777, 0o755, 0o1777]));
    let result = runner
        .run(&strategy, |(ops, settings, mode)| compare(&settings.with_mode(mode), &ops).map_err(TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(difference, (_, settings, _))) => panic!("{settings:?}\n{difference}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn differences_that_were_found_stay_away() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let bench = Bench::of_host();
    let mut found = String::new();
    for settings in &bench.settings {
        for (name, ops) in regressions::CASES {
            if let Err(difference) = compare(settings, ops) {
                found.push_str(&format!("{name}, {settings:?}:\n{difference}\n"));
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}
