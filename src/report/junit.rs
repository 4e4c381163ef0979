//! The report for CI servers: JUnit XML, a suite for each file. It is written when the run ends,
//! because a suite begins with its numbers.

use std::fmt::Write as _;
use std::io::{self, Write};

use provium_protocol::Nanos;
use provium_protocol::time::SECOND;

use super::Report;
use crate::runner::event::{Event, Failure, Verdict};

/// The most of a test's log that goes into the file, in bytes: CI servers refuse files that are too large.
const MAX_LOG: usize = 256 << 10;

/// What stands in a log where lines did not fit.
const LOG_CUT: &str = "(more was logged than fits here: 256 KiB)\n";

/// Writes JUnit XML.
pub struct Junit<W> {
    out: W,
    suites: Vec<Suite>,
    log: String,
}

#[derive(Default)]
struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    line: Option<u32>,
    host_time: Nanos,
    outcome: Outcome,
    log: String,
    warnings: Vec<String>,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failed(Failure),
    /// Not a failed test: the file could not be loaded.
    Broken(Failure),
}

impl<W: Write> Junit<W> {
    /// A report to `out`.
    pub fn new(out: W) -> Junit<W> {
        Junit { out, suites: Vec::new(), log: String::new() }
    }

    fn case(&mut self, case: Case) {
        if let Some(suite) = self.suites.last_mut() {
            suite.cases.push(case);
        }
    }
}

impl<W: Write> Report for Junit<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::FileStarted { file } => {
                self.log.clear();
                self.suites.push(Suite { name: file.clone(), cases: Vec::new() });
            }
            Event::TestStarted { .. } => self.log.clear(),
            Event::Log { text, .. } => {
                if self.log.len() + text.len() <= MAX_LOG {
                    self.log.push_str(text);
                    self.log.push('\n');
                } else if !self.log.ends_with(LOG_CUT) {
                    self.log.push_str(LOG_CUT);
                }
            }
            Event::FileFailed { file, failure } => {
                if self.suites.last().is_none_or(|suite| suite.name != *file) {
                    self.suites.push(Suite { name: file.clone(), cases: Vec::new() });
                }
                let outcome = Outcome::Broken(failure.clone());
                let line = failure.site.as_ref().map(|site| site.line);
                let log = std::mem::take(&mut self.log);
                self.case(Case { name: "(load)".to_owned(), line, host_time: 0, outcome, log, warnings: Vec::new() });
            }
            Event::TestFinished { test, verdict, host_time, warnings, site, .. } => {
                let outcome = match verdict {
                    Verdict::Passed => Outcome::Passed,
                    Verdict::Failed(failure) => Outcome::Failed(failure.clone()),
                    Verdict::Skipped(reason) => Outcome::Skipped(reason.clone()),
                };
                let line = site.as_ref().map(|site| site.line);
                let log = std::mem::take(&mut self.log);
                let (name, host_time, warnings) = (test.clone(), *host_time, warnings.clone());
                self.case(Case { name, line, host_time, outcome, log, warnings });
            }
            Event::Recording { .. } | Event::RunStarted { .. } | Event::FileFinished { .. } => {}
            Event::RunFinished { host_time, .. } => {
                let xml = document(&self.suites, *host_time);
                self.out.write_all(xml.as_bytes())?;
                self.out.flush()?;
            }
        }
        Ok(())
    }
}

fn document(suites: &[Suite], host_time: Nanos) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = suites.iter().flat_map(|suite| &suite.cases);
    open(&mut xml, "", "testsuites", &[("name", "provium")], &numbers(all, host_time));
    for suite in suites {
        let time = suite.cases.iter().map(|case| case.host_time).fold(0, Nanos::saturating_add);
        open(&mut xml, "  ", "testsuite", &[("name", &suite.name)], &numbers(suite.cases.iter(), time));
        for case in &suite.cases {
            write_case(&mut xml, &suite.name, case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn numbers<'a>(cases: impl Iterator<Item = &'a Case>, time: Nanos) -> [(&'static str, String); 5] {
    let [mut tests, mut failures, mut errors, mut skipped] = [0_usize; 4];
    for case in cases {
        tests += 1;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Skipped(_) => skipped += 1,
            Outcome::Failed(_) => failures += 1,
            Outcome::Broken(_) => errors += 1,
        }
    }
    [
        ("tests", tests.to_string()),
        ("failures", failures.to_string()),
        ("errors", errors.to_string()),
        ("skipped", skipped.to_string()),
        ("time", seconds(time)),
    ]
}

fn open(xml: &mut String, indent: &str, tag: &str, names: &[(&str, &str)], numbers: &[(&str, String)]) {
    xml.push_str(indent);
    xml.push('<');
    xml.push_str(tag);
    let numbers = numbers.iter().map(|(key, value)| (*key, value.as_str()));
    for (key, value) in names.iter().copied().chain(numbers) {
        attribute(xml, key, value);
    }
    xml.push_str(">\n");
}

fn attribute(xml: &mut String, key: &str, value: &str) {
    // Writing to a string cannot fail.
    // XML turns a bare line end in an attribute into a space.
    let _ = write!(xml, " {key}=\"{}\"", escape(value).replace('\n', "&#10;"));
}

fn write_case(xml: &mut String, file: &str, case: &Case) {
    xml.push_str("    <testcase");
    attribute(xml, "name", &case.name);
    attribute(xml, "classname", file);
    attribute(xml, "file", file);
    if let Some(line) = case.line {
        attribute(xml, "line", &line.to_string());
    }
    attribute(xml, "time", &seconds(case.host_time));
    xml.push_str(">\n");
    match &case.outcome {
        Outcome::Passed => {}
        Outcome::Skipped(reason) => {
            xml.push_str("      <skipped");
            attribute(xml, "message", reason);
            xml.push_str("/>\n");
        }
        Outcome::Failed(failure) => write_failure(xml, "failure", failure),
        Outcome::Broken(failure) => write_failure(xml, "error", failure),
    }
    let log = &case.log;
    let warnings: String = case.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    for (tag, text) in [("system-out", log), ("system-err", &warnings)] {
        if !text.is_empty() {
            let _ = writeln!(xml, "      <{tag}>{}</{tag}>", escape(text));
        }
    }
    xml.push_str("    </testcase>\n");
}

fn write_failure(xml: &mut String, tag: &str, failure: &Failure) {
    let _ = write!(xml, "      <{tag}");
    attribute(xml, "message", failure.message.lines().next().unwrap_or(""));
    xml.push('>');
    let mut text = format!("{}\n", failure.message);
    let callers = failure.stack.iter().filter(|&site| Some(site) != failure.site.as_ref());
    for site in failure.site.iter().chain(callers) {
        let _ = writeln!(text, "at {}:{}", site.file, site.line);
    }
    for (label, lines) in [("waiting", &failure.waits), ("also", &failure.notes)] {
        for line in lines {
            let _ = writeln!(text, "{label}: {line}");
        }
    }
    xml.push_str(&escape(text.trim_end()));
    let _ = writeln!(xml, "</{tag}>");
}

fn seconds(ns: Nanos) -> String {
    format!("{}.{:06}", ns / SECOND, ns % SECOND / 1_000)
}

/// Text as XML 1.0 can hold it: markup escaped, and what XML has no form for (most control characters)
/// replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' | '\t' => escaped.push(c),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
