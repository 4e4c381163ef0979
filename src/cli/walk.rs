//! `provium replay --step`: one exchange at a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{Nanos, Op, OpError, Reply};

use crate::error::Exit;
use crate::report::text::{clip, one_line};
use crate::runner::exchanges::Exchange;
use crate::runner::observe::{Boundary, Observer};
use crate::runner::place::Place;
use crate::units::format_duration;

/// The columns of a line that are shown.
const COLUMNS: usize = 160;

/// Stops before each exchange and shows each answer, until it is told to run on.
pub(super) struct Walk {
    runs_on: Cell<bool>,
    /// Where each task was spawned.
    spawned: RefCell<BTreeMap<String, Option<String>>>,
    /// What tasks wait for.
    tasks: RefCell<BTreeMap<String, String>>,
}

impl Walk {
    /// Stops at the first exchange.
    pub fn new() -> Rc<Walk> {
        Rc::new(Walk { runs_on: Cell::new(false), spawned: RefCell::default(), tasks: RefCell::default() })
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

    fn show_tasks(&self) {
        let (spawned, tasks) = (self.spawned.borrow(), self.tasks.borrow());
        for (task, at) in &*spawned {
            let at = at.as_ref().map(|at| format!(" (spawned at {at})")).unwrap_or_default();
            let waits = tasks.get(task).map_or("waits for no guest, or is over", String::as_str);
            Walk::say(&format!("  task {task}{at} {waits}"));
        }
        for (task, waits) in tasks.iter().filter(|(task, _)| !spawned.contains_key(*task)) {
            Walk::say(&format!("  task {task} {waits}"));
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
                // A terminal shows what is typed; elsewhere the answer comes below the question all the same.
                Ok(_) if !io::stdin().is_terminal() => Walk::say(line.trim()),
                Ok(_) => {}
            }
            match line.trim() {
                "" | "n" => return,
                "r" => return self.runs_on.set(true),
                // Nothing can be said of what was not replayed.
                "q" => std::process::exit(Exit::Diverged as i32),
                "t" => self.show_tasks(),
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

    fn spawned(&self, _: u32, path: &str, at: Option<&Place>) {
        self.spawned.borrow_mut().insert(path.to_owned(), at.map(Place::to_string));
    }

    fn logged(&self, text: &str) {
        if !self.runs_on.get() {
            Walk::say(&format!("       log: {text}"));
        }
    }

    fn boundary(&self, _: Nanos, what: Boundary<'_>) {
        if matches!(what, Boundary::TestBegins(_)) {
            self.spawned.borrow_mut().clear();
            self.tasks.borrow_mut().clear();
        }
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
