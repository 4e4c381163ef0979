//! The report for people.
//!
//! One line for each test as it ends, with all there is to know about a failure right below it; at the
//! end the failures once more by name, and a closing line that tools can read too.

mod failure;
mod snippet;
mod table;

use std::io::{self, Write};

use provium_protocol::Nanos;

use super::Report;
use super::repeat::Repeat;
use super::sources::Sources;
use super::style::Paint;
use super::tally::Tally;
use super::text::{clip, count, one_line, pad};
use crate::runner::event::{Event, Failure, Site, Verdict};
use crate::units::format_duration;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Failures and the closing line.
    Quiet,
    /// A line for each test.
    Normal,
    /// What tests log, as they do it, and what each took by the lab's clock.
    Verbose,
}

/// The most log lines that are kept of a test in case it fails: the last ones tell how it came to that.
const MAX_LOG_LINES: usize = 50;

/// The most columns of any line that came from outside.
const MAX_COLUMNS: usize = 300;

/// Writes for people.
pub struct Terminal<W> {
    out: W,
    level: Level,
    paint: Paint,
    sources: Box<dyn Sources>,
    repeat: Repeat,
    /// Where this file is recorded.
    trace: Option<String>,
    tally: Tally,
    backend: String,
    seed: Option<u64>,
    files_asked: usize,
    /// Whether the current file's heading is printed.
    headed: bool,
    /// Whether a failure was written last, which an empty line sets apart from what follows.
    gap: bool,
    /// Whether a test of the current file has run before this one.
    not_first: bool,
    /// What the current test, or the top level of the file, has logged.
    logs: Vec<String>,
    logs_dropped: usize,
    /// For the list at the end: place and name.
    failed: Vec<(Option<Site>, String, String)>,
    broken: Vec<String>,
}

impl<W: Write> Terminal<W> {
    /// A report to `out`.
    pub fn new(out: W, level: Level, paint: Paint, sources: Box<dyn Sources>, repeat: Repeat) -> Terminal<W> {
        Terminal {
            out,
            level,
            paint,
            sources,
            repeat,
            trace: None,
            tally: Tally::default(),
            backend: String::new(),
            seed: None,
            files_asked: 0,
            headed: false,
            gap: false,
            not_first: false,
            logs: Vec::new(),
            logs_dropped: 0,
            failed: Vec::new(),
            broken: Vec::new(),
        }
    }

    fn heading(&mut self, file: &str) -> io::Result<()> {
        if !self.headed {
            self.headed = true;
            self.gap = false;
            writeln!(self.out, "\n{}", self.paint.strong(clip(&one_line(file), MAX_COLUMNS)))?;
        }
        if std::mem::take(&mut self.gap) {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn log(&mut self, file: &str, text: &str) -> io::Result<()> {
        for line in text.lines() {
            let line = clip(&one_line(line), MAX_COLUMNS);
            if self.level == Level::Verbose {
                self.heading(file)?;
                writeln!(self.out, "    {} {line}", self.paint.faint("|"))?;
                continue;
            }
            if self.logs.len() == MAX_LOG_LINES {
                self.logs.remove(0);
                self.logs_dropped += 1;
            }
            self.logs.push(line);
        }
        Ok(())
    }

    fn forget_logs(&mut self) {
        self.logs.clear();
        self.logs_dropped = 0;
    }

    fn test_finished(&mut self, file: &str, test: &str, end: &TestEnd<'_>) -> io::Result<()> {
        let paint = self.paint;
        let quiet = self.level == Level::Quiet;
        let (word, reason) = match end.verdict {
            Verdict::Passed if quiet => return Ok(()),
            Verdict::Skipped(_) if quiet => return Ok(()),
            Verdict::Passed => (paint.good("pass"), None),
            Verdict::Failed(_) => (paint.bad("FAIL"), None),
            Verdict::Skipped(reason) => (paint.care("skip"), Some(reason)),
        };
        self.heading(file)?;
        let took = match end.verdict {
            Verdict::Skipped(_) => String::new(),
            _ => format_duration(significant(end.host_time)),
        };
        write!(self.out, "  {word} {} {}", paint.faint(format!("{took:>8}")), clip(&one_line(test), MAX_COLUMNS))?;
        if let Some(reason) = reason {
            write!(self.out, "{}", paint.faint(format!(" ({})", clip(&one_line(reason), MAX_COLUMNS))))?;
        }
        if self.level == Level::Verbose && !matches!(end.verdict, Verdict::Skipped(_)) {
            write!(self.out, "{}", paint.faint(format!(" (lab clock {})", format_duration(end.lab_time))))?;
        }
        writeln!(self.out)?;
        if let Verdict::Failed(failure) = end.verdict {
            self.failed.push((failure.site.clone().or(end.site.clone()), file.to_owned(), test.to_owned()));
            self.failure(failure, end.warnings)?;
            if self.repeat.is_replay {
                return self.replay();
            }
            let alone = self.repeat.test(file, test);
            // A command that is to be typed must be whole, whatever its length.
            if self.not_first {
                let whole = self.repeat.file(file);
                self.commands(&[("this test alone:", alone), ("repeat this run:", whole)])?;
            } else {
                self.commands(&[("repeat this run:", alone)])?;
            }
            return self.replay();
        }
        for warning in end.warnings {
            let warning = clip(&one_line(warning), MAX_COLUMNS);
            writeln!(self.out, "       {} {warning}", paint.care("warning:"))?;
        }
        Ok(())
    }

    fn file_failed(&mut self, file: &str, failure: &Failure) -> io::Result<()> {
        self.heading(file)?;
        writeln!(self.out, "  {} could not be loaded", self.paint.bad("FAIL"))?;
        self.broken.push(file.to_owned());
        self.failure(failure, &[])?;
        if !self.repeat.is_replay {
            let command = self.repeat.file(file);
            self.commands(&[("repeat this run:", command)])?;
        }
        self.replay()
    }

    /// The last line of a failure: how to have this very run again, without its guests.
    fn replay(&mut self) -> io::Result<()> {
        match &self.trace {
            Some(trace) => {
                let label = if self.repeat.is_replay { "replay it again:" } else { "replay its recording:" };
                let command = self.repeat.replay(trace);
                self.commands(&[(label, command)])
            }
            None => Ok(()),
        }
    }

    fn failure(&mut self, failure: &Failure, warnings: &[String]) -> io::Result<()> {
        self.gap = true;
        let block = failure::Block { failure, warnings, logs: &self.logs, logs_dropped: self.logs_dropped };
        failure::write(&mut self.out, self.paint, self.sources.as_ref(), &block)
    }

    fn commands(&mut self, commands: &[(&str, String)]) -> io::Result<()> {
        for (label, command) in commands {
            let command = super::text::printable(command);
            writeln!(self.out, "\n      {}\n        {}", self.paint.faint(label), self.paint.command(command))?;
        }
        Ok(())
    }

    fn started(&mut self) -> io::Result<()> {
        if self.level == Level::Quiet {
            return Ok(());
        }
        let files = count(self.files_asked, "file");
        if self.repeat.is_replay {
            let traces = count(self.files_asked, "trace");
            return writeln!(self.out, "{traces}, without their guests");
        }
        writeln!(self.out, "{files} on {}, {}", self.backend, schedule(self.seed))
    }

    fn finished(&mut self, host_time: Nanos, stopped: Option<&str>) -> io::Result<()> {
        let paint = self.paint;
        if !self.failed.is_empty() && self.level != Level::Quiet {
            writeln!(self.out, "\n{}", paint.bad("failed:"))?;
            for (site, file, test) in &self.failed {
                let place = site.as_ref().map_or(file.clone(), |site| format!("{}:{}", site.file, site.line));
                writeln!(self.out, "  {}  {}", one_line(&place), clip(&one_line(test), MAX_COLUMNS))?;
            }
        }
        if !self.broken.is_empty() && self.level != Level::Quiet {
            writeln!(self.out, "\n{}", paint.bad("could not be loaded:"))?;
            for file in &self.broken {
                writeln!(self.out, "  {}", one_line(file))?;
            }
        }
        if self.level != Level::Quiet || self.headed || stopped.is_some() {
            writeln!(self.out)?;
        }
        if let Some(why) = stopped {
            writeln!(self.out, "{} {}", paint.care("stopped:"), one_line(why))?;
        }
        if self.level != Level::Quiet {
            let left = self.files_asked.saturating_sub(self.tally.files);
            let how = match self.repeat.is_replay {
                true => String::new(),
                false => format!(", {}", schedule(self.seed)),
            };
            let mut line = format!(
                "{} and {} on {} in {} (lab clock {}){how}",
                count(self.tally.files, "file"),
                count(self.tally.selected(), "test"),
                self.backend,
                format_duration(significant(host_time)),
                format_duration(significant(self.tally.lab_time)),
            );
            if self.tally.deselected > 0 {
                line.push_str(&format!("; {} not selected", count(self.tally.deselected, "test")));
            }
            if left > 0 {
                line.push_str(&format!("; {} not run", count(left, "file")));
            }
            writeln!(self.out, "{}", paint.faint(line))?;
        }
        if self.tally.broken_files > 0 {
            let files = count(self.tally.broken_files, "file");
            writeln!(self.out, "{}", paint.bad(format!("{files} could not be loaded")))?;
        }
        // The closing line stays free of colour: it is there for tools as much as for people.
        writeln!(self.out, "{}", self.tally)
    }
}

/// The end of a test, as an event tells it.
struct TestEnd<'a> {
    verdict: &'a Verdict,
    lab_time: Nanos,
    host_time: Nanos,
    warnings: &'a [String],
    site: &'a Option<Site>,
}

impl<W: Write> Report for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.event(event);
        match event {
            Event::RunStarted { backend, seed, files } => {
                self.backend = one_line(backend);
                (self.seed, self.files_asked) = (*seed, *files);
                self.started()?;
            }
            Event::Recording { trace, .. } => self.trace = Some(trace.clone()),
            Event::FileStarted { .. } => {
                (self.headed, self.not_first, self.trace) = (false, false, None);
                self.forget_logs();
            }
            Event::TestStarted { .. } => self.forget_logs(),
            Event::Log { file, text, .. } => self.log(file, text)?,
            Event::TestFinished { file, test, verdict, lab_time, host_time, warnings, site } => {
                let (lab_time, host_time) = (*lab_time, *host_time);
                self.test_finished(file, test, &TestEnd { verdict, lab_time, host_time, warnings, site })?;
                self.forget_logs();
                // A test that was skipped before it began has no bearing on those after it.
                self.not_first |= lab_time > 0 || !matches!(verdict, Verdict::Skipped(_));
            }
            Event::FileFailed { file, failure } => self.file_failed(file, failure)?,
            Event::FileFinished { .. } => {}
            Event::RunFinished { host_time, stopped } => self.finished(*host_time, stopped.as_deref())?,
        }
        // A test may take long: what is known is shown now.
        self.out.flush()
    }
}

fn schedule(seed: Option<u64>) -> String {
    match seed {
        Some(seed) => format!("random schedule, seed {seed}"),
        None => "schedule first in, first out".to_owned(),
    }
}

/// Cuts a time to what a reader can use: three digits.
fn significant(ns: Nanos) -> Nanos {
    let mut unit = 1;
    while ns / unit >= 1_000 {
        unit *= 10;
    }
    ns / unit * unit
}

/// A labelled part of a failure, indented under it.
fn section(out: &mut dyn Write, paint: Paint, label: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n      {}", paint.faint(label))?;
    lines.iter().try_for_each(|line| writeln!(out, "        {line}"))
}

/// Lines of text from outside, made fit to show.
fn shown_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| clip(&one_line(line), MAX_COLUMNS)).collect()
}

/// Columns lined up, two spaces between them, nothing after the last.
fn align(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| super::text::width(cell)).max();
    let widths: Vec<usize> = (0..columns).map(|column| wide(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| pad(cell, width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
