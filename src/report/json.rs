//! The report for tools: one JSON object a line, in the order of the events.
//!
//! The form is a promise of its own, apart from the types inside: fields are added, never renamed or
//! given another meaning, unless [`FORMAT`] changes. Times are nanoseconds.

use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use super::tally::Tally;
use crate::runner::event::{Event, ExchangeNote, Failure, Site, Verdict};

/// The version of the form, in the first line.
pub const FORMAT: u32 = 1;

/// Writes JSON lines.
pub struct JsonLines<W> {
    out: W,
    tally: Tally,
}

impl<W: Write> JsonLines<W> {
    /// A report to `out`.
    pub fn new(out: W) -> JsonLines<W> {
        JsonLines { out, tally: Tally::default() }
    }
}

impl<W: Write> Report for JsonLines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.event(event);
        serde_json::to_writer(&mut self.out, &Line::of(event, &self.tally))?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    RunStarted {
        format: u32,
        provium: &'static str,
        backend: &'a str,
        seed: Option<u64>,
        files: usize,
    },
    Recording {
        file: &'a str,
        trace: &'a str,
    },
    FileStarted {
        file: &'a str,
    },
    FileFailed {
        file: &'a str,
        failure: FailureLine<'a>,
    },
    TestStarted {
        file: &'a str,
        test: &'a str,
    },
    Log {
        file: &'a str,
        test: Option<&'a str>,
        text: &'a str,
    },
    TestFinished {
        file: &'a str,
        test: &'a str,
        verdict: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<FailureLine<'a>>,
        lab_ns: u64,
        host_ns: u64,
        warnings: &'a [String],
        site: Option<SiteLine<'a>>,
    },
    FileFinished {
        file: &'a str,
        deselected: usize,
    },
    RunFinished {
        passed: usize,
        failed: usize,
        skipped: usize,
        deselected: usize,
        files: usize,
        broken_files: usize,
        stopped: Option<&'a str>,
        lab_ns: u64,
        host_ns: u64,
    },
}

#[derive(Serialize)]
struct SiteLine<'a> {
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct FailureLine<'a> {
    message: &'a str,
    site: Option<SiteLine<'a>>,
    stack: Vec<SiteLine<'a>>,
    exchanges: Vec<ExchangeLine<'a>>,
    waits: &'a [String],
    notes: &'a [String],
}

#[derive(Serialize)]
struct ExchangeLine<'a> {
    task: &'a str,
    vm: &'a str,
    worker: Option<&'a str>,
    operation: &'a str,
    outcome: &'a str,
    began_ns: u64,
    ended_ns: Option<u64>,
    site: Option<SiteLine<'a>>,
}

impl<'a> Line<'a> {
    fn of(event: &'a Event, tally: &Tally) -> Line<'a> {
        match event {
            Event::RunStarted { backend, seed, files } => Line::RunStarted {
                format: FORMAT,
                provium: env!("CARGO_PKG_VERSION"),
                backend,
                seed: *seed,
                files: *files,
            },
            Event::FileStarted { file } => Line::FileStarted { file },
            Event::Recording { file, trace } => Line::Recording { file, trace },
            Event::FileFailed { file, failure } => Line::FileFailed { file, failure: failure.into() },
            Event::TestStarted { file, test } => Line::TestStarted { file, test },
            Event::Log { file, test, text } => Line::Log { file, test: test.as_deref(), text },
            Event::TestFinished { file, test, verdict, lab_time, host_time, warnings, site } => {
                let (verdict, reason, failure) = match verdict {
                    Verdict::Passed => ("passed", None, None),
                    Verdict::Failed(failure) => ("failed", None, Some(failure.into())),
                    Verdict::Skipped(reason) => ("skipped", Some(reason.as_str()), None),
                };
                let site = site.as_ref().map(SiteLine::from);
                let (lab_ns, host_ns) = (*lab_time, *host_time);
                Line::TestFinished { file, test, verdict, reason, failure, lab_ns, host_ns, warnings, site }
            }
            Event::FileFinished { file, deselected } => Line::FileFinished { file, deselected: *deselected },
            Event::RunFinished { host_time, stopped } => Line::RunFinished {
                passed: tally.passed,
                failed: tally.failed,
                skipped: tally.skipped,
                deselected: tally.deselected,
                files: tally.files,
                broken_files: tally.broken_files,
                stopped: stopped.as_deref(),
                lab_ns: tally.lab_time,
                host_ns: *host_time,
            },
        }
    }
}

impl<'a> From<&'a Site> for SiteLine<'a> {
    fn from(site: &'a Site) -> SiteLine<'a> {
        SiteLine { file: &site.file, line: site.line }
    }
}

impl<'a> From<&'a Failure> for FailureLine<'a> {
    fn from(failure: &'a Failure) -> FailureLine<'a> {
        FailureLine {
            message: &failure.message,
            site: failure.site.as_ref().map(SiteLine::from),
            stack: failure.stack.iter().map(SiteLine::from).collect(),
            exchanges: failure.exchanges.iter().map(ExchangeLine::from).collect(),
            waits: &failure.waits,
            notes: &failure.notes,
        }
    }
}

impl<'a> From<&'a ExchangeNote> for ExchangeLine<'a> {
    fn from(note: &'a ExchangeNote) -> ExchangeLine<'a> {
        ExchangeLine {
            task: &note.task,
            vm: &note.vm,
            worker: note.worker.as_deref(),
            operation: &note.operation,
            outcome: &note.outcome,
            began_ns: note.began,
            ended_ns: note.ended,
            site: note.site.as_ref().map(SiteLine::from),
        }
    }
}
