//! Everything that can keep the command from doing its work, and the one map from what happened to the
//! exit code.
//!
//! | code | meaning |
//! |------|---------|
//! | 0 | every test that was asked for passed, or was skipped for a reason that the report states |
//! | 1 | at least one test failed |
//! | 2 | no test failed, but the run could not do what was asked: bad usage or configuration, nothing to run, a file that could not be loaded, a report that could not be written |
//! | 125 | `provium replay`: a replay differs from its recording, or a trace cannot be read |
//!
//! When both happened the code is 1: a failed test is a fact about what is tested, and nothing that went
//! wrong beside it makes it less so. Code 2 says that the run proves less than it was asked to.

use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

use crate::config::{CONFIG_FILE, ConfigError};
use crate::report::tally::Tally;
use crate::runner::select::FilterError;

/// What the command tells its caller. The numbers are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything passed.
    Passed = 0,
    /// A test failed.
    TestFailed = 1,
    /// The run could not do what was asked.
    CouldNotRun = 2,
    /// A replay differs from its recording, or a trace cannot be read: `git bisect run` skips this one.
    Diverged = 125,
}

impl Exit {
    /// The code for a run that came to its end; `trouble` is whether anything went wrong outside of
    /// the files, such as a report that could not be written.
    #[must_use]
    pub fn of(tally: &Tally, trouble: bool) -> Exit {
        if tally.failed > 0 {
            Exit::TestFailed
        } else if trouble || tally.broken_files > 0 {
            Exit::CouldNotRun
        } else {
            Exit::Passed
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why the command could not do its work. Each is shown after `error: ` and ends with [`Exit::CouldNotRun`].
#[derive(Debug, Error)]
pub enum CommandError {
    /// The working directory is gone or may not be read.
    #[error("the working directory cannot be read: {0}")]
    WorkingDirectory(#[source] std::io::Error),
    /// The project's file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A filter is wrong.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A path on the command line leads nowhere.
    #[error("`{}` cannot be read: {why}", path.display())]
    Path {
        /// As it was typed.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A root of the project leads nowhere.
    #[error("root `{}` of {CONFIG_FILE} cannot be read: {why}", root.display())]
    Root {
        /// As the project's file has it.
        root: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A path is neither a test file nor a directory.
    #[error("`{}` is not a test file: those are ordinary files whose names end in `.test.lua`", .0.display())]
    NotATestFile(PathBuf),
    /// A path, or the roots, hold no test file.
    #[error("no tests in `{}`: no file below it has a name that ends in `.test.lua`", .0.display())]
    NoTestFiles(PathBuf),
    /// There are files, but they register no test.
    #[error("no tests: {0}")]
    NoTests(String),
    /// There are tests, but the command line asks for none of them.
    #[error("no test matches: {0}")]
    NothingSelected(String),
    /// Options that say how a trace is followed, for a run that does not follow one.
    #[error(
        "`--mode` and `--until` say how a trace is followed; with `--at-end continue` the test runs in the simulator \
         from its beginning: leave them out (`--step` walks through it)"
    )]
    ContinueFollowsNothing,
    /// An option for real guests, for a run that has none.
    #[error("`--cold-boot` is for real guests: add `--backend qemu`, or leave it out")]
    NothingToBootCold,
    /// What a backend needs of this machine is not to be had.
    #[error("the backend `{name}` cannot be started: {why}")]
    Backend {
        /// Which.
        name: &'static str,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A session cannot begin.
    #[error("the session cannot begin: {0}")]
    Session(String),
    /// What is typed cannot be read.
    #[error("standard input cannot be read: {0}")]
    Input(#[source] std::io::Error),
    /// Options that say how traces are kept, for a run that keeps none.
    #[error(
        "{option} says how traces are kept, and with `--record never` none is: leave one of the two out (with `--verify` \
         a trace is kept until it was replayed)"
    )]
    NothingRecorded {
        /// As it is typed.
        option: &'static str,
    },
    /// Two reports want standard output.
    #[error("only one report can go to standard output, give the others a file: `--report json=FILE`")]
    TwoReportsOnStdout,
    /// A profile that the project does not have.
    #[error("{CONFIG_FILE} has no profile `{}`; there are {}", name.escape_debug(), known.join(", "))]
    Profile {
        /// As it was typed.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// What guests boot from cannot be had.
    #[error(transparent)]
    Image(#[from] provium_qemu::image::ImageError),
    /// A file to write cannot be made.
    #[error("cannot write `{}`: {why}", path.display())]
    Output {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_test_weighs_more_than_a_broken_file() {
        let passed = Tally { passed: 1, ..Tally::default() };
        assert_eq!(Exit::of(&passed, false), Exit::Passed);
        assert_eq!(Exit::of(&passed, true), Exit::CouldNotRun);
        let broken = Tally { broken_files: 1, ..passed };
        assert_eq!(Exit::of(&broken, false), Exit::CouldNotRun);
        assert_eq!(Exit::of(&Tally { failed: 1, ..broken }, true), Exit::TestFailed);
        assert_eq!(Exit::of(&Tally { skipped: 1, ..Tally::default() }, false), Exit::Passed);
    }
}
