//! What a session shows: values on standard output, errors on standard error.

use std::fmt::Write as _;
use std::io::{self, Write};

use provium_protocol::Nanos;

use crate::report::style::Paint;
use crate::runner::event::{Event, Failure, Site};
use crate::runner::repl::{Fed, REPL_FILE, Repl};
use crate::units::format_duration;

/// Characters in a line where there is no terminal to ask.
const WIDTH: usize = 100;

/// Lines of a call stack that are shown.
const MAX_STACK: usize = 5;

/// Where a session is shown.
pub(super) struct Screen {
    paint: Paint,
    /// Nobody reads what is written any more.
    gone: bool,
}

impl Screen {
    /// Nothing shown yet.
    pub fn new(colour: bool) -> Screen {
        Screen { paint: Paint { colour }, gone: false }
    }

    /// Whether nobody reads what is written any more.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// How many characters a line has.
    pub fn width(&self) -> usize {
        terminal_size::terminal_size().map_or(WIDTH, |(terminal_size::Width(columns), _)| usize::from(columns))
    }

    /// Text of one line or several.
    pub fn line(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        self.gone |= writeln!(out, "{text}").and_then(|()| out.flush()).is_err();
    }

    /// A word to a person about the session itself.
    pub fn note(&mut self, text: &str) {
        self.line(&self.paint.faint(format!("({text})")));
    }

    /// A word to a person where standard output belongs to a guest.
    pub fn aside(&mut self, text: &str) {
        // Nobody may be left to hear it.
        let _ = writeln!(io::stderr(), "{}", self.paint.faint(format!("({text})")));
    }

    /// Goes to the beginning of a line: a guest was shown last, and may not have.
    pub fn returns(&mut self) {
        let _ = writeln!(io::stderr());
    }

    /// What went wrong.
    pub fn complain(&mut self, text: &str) {
        let error = self.paint.bad("error:");
        // Nobody may be left to hear it.
        let _ = writeln!(io::stderr(), "{error} {text}");
    }

    /// The first lines of a session.
    pub fn greet(&mut self, profile: &str, backend: &str, took: Nanos) {
        let took = format_duration(took / 1_000_000 * 1_000_000);
        let what = format!("`vm` is a guest of profile `{profile}` ({backend}), booted in {took}");
        self.line(&format!("{} {}: {what}", self.paint.strong("provium"), env!("CARGO_PKG_VERSION")));
        self.note("Lua as in a test; `help` says what there is, Ctrl-D ends");
    }

    /// Something that happened while a line ran.
    pub fn event(&mut self, event: &Event) {
        if let Event::Log { text, .. } = event {
            self.line(text);
        }
    }

    /// What became of a line. `placed` has the place of an error shown even if it is the line just typed.
    pub fn fed(&mut self, fed: &Fed, repl: &Repl, placed: bool) {
        match fed {
            Fed::Incomplete => {}
            Fed::Ran { shown, .. } => {
                if let Some(text) = shown {
                    self.line(text);
                }
            }
            Fed::Failed(failure) => self.failure(failure, repl, placed),
            Fed::Interrupted { tasks } => {
                let more = match tasks {
                    0 => String::new(),
                    1 => ", and a spawned task with it".to_owned(),
                    tasks => format!(", and {tasks} spawned tasks with it"),
                };
                self.line(&self.paint.care(format!("interrupted{more}")));
            }
        }
    }

    /// An error.
    pub fn failure(&mut self, failure: &Failure, repl: &Repl, placed: bool) {
        let mut text = failure.message.clone();
        let sites = failure.site.iter().chain(&failure.stack).take(MAX_STACK);
        let sites: Vec<String> = sites.map(|site| place(site, repl)).collect();
        if placed || sites.len() > 1 || failure.site.as_ref().is_some_and(|site| !is_last(site, repl)) {
            for (at, place) in sites.iter().enumerate() {
                let word = if at == 0 { "at" } else { "from" };
                let _ = write!(text, "\n  {}", self.paint.faint(format!("{word} {place}")));
            }
        }
        for line in failure.waits.iter().chain(&failure.notes) {
            let _ = write!(text, "\n  {line}");
        }
        self.complain(&text);
    }
}

/// Whether a place is the line that was typed last.
fn is_last(site: &Site, repl: &Repl) -> bool {
    site.file == REPL_FILE && repl.line(site.line).is_some() && repl.line(site.line + 1).is_none()
}

/// A place, with its line if it was typed.
fn place(site: &Site, repl: &Repl) -> String {
    let line = repl.line(site.line).filter(|_| site.file == REPL_FILE);
    let line = line.map(|line| format!(": {}", line.trim())).unwrap_or_default();
    format!("{}:{}{line}", site.file, site.line)
}
