//! What happens in a run, as one stream of events: everything that people or tools are shown is a fold
//! over it.

use provium_protocol::Nanos;

/// A place in a Lua file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The file, as it was named to the run: relative to the project when it lies in it.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
}

/// One exchange with a guest, for people: the last ones stand in a failure's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeNote {
    /// The task that asked, by its spawn path (`main/2`).
    pub task: String,
    /// The VM.
    pub vm: String,
    /// The worker's name, if it was said on a worker's lane.
    pub worker: Option<String>,
    /// The operation with its arguments, shortened: `run_async("dd", …)`.
    pub operation: String,
    /// What came of it, shortened: `exit 0`, `ENOENT`, `still running`.
    pub outcome: String,
    /// The lab's clock at its beginning, from the start of the file.
    pub began: Nanos,
    /// The lab's clock at its end; `None` while it runs.
    pub ended: Option<Nanos>,
    /// Where the test asked.
    pub site: Option<Site>,
}

/// Why a test or a file failed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Failure {
    /// One line or several: what happened, both values included.
    pub message: String,
    /// Where in the Lua file.
    pub site: Option<Site>,
    /// The Lua call stack below the site, innermost first.
    pub stack: Vec<Site>,
    /// The last operations of this test, oldest first.
    pub exchanges: Vec<ExchangeNote>,
    /// Who waits for what in the guests at the time, one line each; a deadlock is named first.
    pub waits: Vec<String>,
    /// Further trouble: leaked resources, closes that failed, other failed assertions.
    pub notes: Vec<String>,
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it says.
    Passed,
    /// It did not.
    Failed(Failure),
    /// It was not run, for this reason.
    Skipped(String),
}

impl Event {
    /// What is the same in every run with the same choices: no times of the host, and nothing of where it is recorded.
    #[must_use]
    pub fn repeatable(&self) -> Option<Event> {
        let mut event = self.clone();
        match &mut event {
            Event::TestFinished { host_time, .. } | Event::RunFinished { host_time, .. } => *host_time = 0,
            Event::Recording { .. } => return None,
            _ => {}
        }
        Some(event)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// The backend's name.
        backend: String,
        /// The seed of the schedule; `None` for first in, first out.
        seed: Option<u64>,
        /// How many files will be run.
        files: usize,
    },
    /// A file is loaded.
    FileStarted {
        /// As it was named to the run.
        file: String,
    },
    /// What the file does is recorded.
    Recording {
        /// Which file.
        file: String,
        /// The trace, as it is to be named on the command line.
        trace: String,
    },
    /// A file could not be loaded: a syntax error, an error at its top level. Its tests did not run.
    FileFailed {
        /// Which.
        file: String,
        /// Why.
        failure: Failure,
    },
    /// A test begins.
    TestStarted {
        /// Its file.
        file: String,
        /// Its name.
        test: String,
    },
    /// `t:log(v)`, or `print`.
    Log {
        /// The file.
        file: String,
        /// The test; `None` at the file's top level.
        test: Option<String>,
        /// What was logged.
        text: String,
    },
    /// A test is over.
    TestFinished {
        /// Its file.
        file: String,
        /// Its name.
        test: String,
        /// What became of it.
        verdict: Verdict,
        /// By the lab's clock: virtual on the simulator.
        lab_time: Nanos,
        /// By the host's clock.
        host_time: Nanos,
        /// Warnings that do not change the verdict: a task or resource left open.
        warnings: Vec<String>,
        /// Where it was registered.
        site: Option<Site>,
    },
    /// A file is done, loaded or not.
    FileFinished {
        /// Which.
        file: String,
        /// How many of its tests were left out by `--filter`, `--tag` or `--no-tag`.
        deselected: usize,
    },
    /// The run is over.
    RunFinished {
        /// Why it ended before all files and tests had their turn (`--fail-fast`), for people.
        stopped: Option<String>,
        /// By the host's clock.
        host_time: Nanos,
    },
}
