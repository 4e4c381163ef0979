//! `provium replay --step`: one exchange at a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{Nanos, Op, OpError, Reply};

use crate::report::text::{clip, one_line};
use crate::runner::exchanges::Exchange;
use crate::runner::observe::{Boundary, Observer};
use crate::units::format_duration;

/// The columns of a line that are shown.
const COLUMNS: usize = 160;

/// Stops before each exchange and shows each answer, until it is told to run on.
pub(super) struct Walk {
    runs_on: Cell<bool>,
    /// What each task waits for.
    tasks: RefCell<BTreeMap<String, String>>,
}

impl Walk {
    /// Stops at the first exchange.
    pub fn new() -> Rc<Walk> {
        Rc::new(Walk { runs_on: Cell::new(false), tasks: RefCell::default() })
    }

    fn say(line: &str) {
        // Nobody may be left to hear it.
        let _ = writeln!(io::stdout(), "{}", clip(&one_line(line), COLUMNS));
    }

    fn begins(&self, exchange: &Exchange, operation: &str) {
        if self.runs_on.get() {
            return;
        }
        let origin = &exchange.origin;
        let number = exchange.number.unwrap_or_default();
        let on = match &origin.worker {
            Some(worker) => format!("{}/{worker}", origin.vm),
            None => origin.vm.to_string(),
        };
        let at = origin.at.as_ref().map(|at| format!("  {at}")).unwrap_or_default();
        Walk::say(&format!(
            "{number:>5}  {:>8}  {}  {on}  {operation}{at}",
            format_duration(exchange.began),
            origin.task
        ));
        self.tasks.borrow_mut().insert(origin.task.to_string(), format!("waits for {number}: {operation}"));
        self.ask();
    }

    fn ends(&self, exchange: &Exchange, now: Nanos, outcome: &str) {
        self.tasks.borrow_mut().remove(&*exchange.origin.task);
        if !self.runs_on.get() {
            let number = exchange.number.unwrap_or_default();
            Walk::say(&format!("{number:>5}  {:>8}  {}  = {outcome}", format_duration(now), exchange.origin.task));
        }
    }

    fn ask(&self) {
        loop {
            let _ = write!(io::stdout(), "[Enter] next, [t]asks, [r]un on, [q]uit: ");
            let _ = io::stdout().flush();
            let mut line = String::new();
            match io::stdin().lock().read_line(&mut line) {
                // The end of the input: run on, as when the input is no terminal.
                Ok(0) | Err(_) => {
                    Walk::say("");
                    return self.runs_on.set(true);
                }
                Ok(_) => {}
            }
            match line.trim() {
                "" | "n" => return,
                "r" => return self.runs_on.set(true),
                "q" => std::process::exit(0),
                "t" => {
                    for (task, waits) in &*self.tasks.borrow() {
                        Walk::say(&format!("  task {task} {waits}"));
                    }
                }
                other => Walk::say(&format!("there is no `{other}`")),
            }
        }
    }
}

impl Observer for Walk {
    fn begun(&self, exchange: &Exchange, _: &Op) {
        self.begins(exchange, &exchange.operation);
    }

    fn ended(&self, exchange: &Exchange, now: Nanos, _: &Result<Reply, OpError>) {
        self.ends(exchange, now, &exchange.to_note().outcome);
    }

    fn boot_begun(&self, exchange: &Exchange, _: &BootSpec) {
        self.begins(exchange, &exchange.operation);
    }

    fn boot_ended(&self, exchange: &Exchange, now: Nanos, _: Result<(), &OpError>) {
        self.ends(exchange, now, &exchange.to_note().outcome);
    }

    fn logged(&self, text: &str) {
        if !self.runs_on.get() {
            Walk::say(&format!("       log: {text}"));
        }
    }

    fn boundary(&self, _: Nanos, what: Boundary<'_>) {
        if self.runs_on.get() {
            return;
        }
        match what {
            Boundary::TestBegins(name) => Walk::say(&format!("test: {name}")),
            Boundary::TestEnds(name, verdict) => {
                let word = match verdict {
                    crate::runner::event::Verdict::Passed => "passed",
                    crate::runner::event::Verdict::Failed(_) => "failed",
                    crate::runner::event::Verdict::Skipped(_) => "skipped",
                };
                Walk::say(&format!("{word}: {name}"));
            }
            _ => {}
        }
    }
}
