//! Errors of Lua as failures for people.

use mlua::Value;

use super::display;
use super::fault::{Fault, FaultKind, find_fault, plain_message};
use super::task::Thrown;
use crate::runner::event::{Failure, Site};
use crate::runner::place::Place;

/// How a task ended that did not return.
pub struct Raised {
    /// What to report.
    pub failure: Failure,
    /// An assertion, which its section knows already.
    pub is_assertion: bool,
    /// The test skipped itself.
    pub is_skip: bool,
}

/// A raised value in one line, with its place.
pub fn one_line(value: &Value) -> String {
    match value {
        Value::Error(error) => match find_fault(error) {
            Some(fault) => fault.to_string(),
            None => with_limit(plain_message(error)),
        },
        Value::String(text) => with_limit(text.to_string_lossy()),
        Value::Nil => "an error was raised without a value: error(nil)".to_owned(),
        other => display::show(other),
    }
}

/// What Lua says when it gets no more memory, with the limit that was reached.
fn with_limit(message: String) -> String {
    match message.as_str() {
        "not enough memory" => {
            format!("not enough memory: the Lua of a test file may use {} MiB", super::session::MEMORY_LIMIT >> 20)
        }
        _ => message,
    }
}

/// What a task raised.
pub fn raised(thrown: &Thrown) -> Raised {
    let mut stack: Vec<Site> = thrown.stack.iter().map(Place::to_site).collect();
    let fault = match &thrown.value {
        Value::Error(error) => find_fault(error),
        _ => None,
    };
    let (message, site) = match (&thrown.value, fault) {
        (_, Some(fault)) => (fault.message.clone(), fault.at.as_ref().map(Place::to_site)),
        (value, None) => {
            let text = one_line(value);
            match split_position(&text, stack.first()) {
                Some((site, message)) => (message, Some(site)),
                None => (text, None),
            }
        }
    };
    let site = site.or_else(|| stack.first().cloned());
    if stack.first() == site.as_ref() && !stack.is_empty() {
        stack.remove(0);
    }
    let notes = fault.and_then(|fault| fault.advice).map(str::to_owned).into_iter().collect();
    let is = |kind| fault.is_some_and(|fault: &Fault| fault.kind == kind);
    Raised {
        failure: Failure { message, site, stack, notes, ..Failure::default() },
        is_assertion: is(FaultKind::Assertion),
        is_skip: is(FaultKind::Skip),
    }
}

/// Parts `file:line: message`, as Lua writes it. It shortens long file names from the left, so the innermost line
/// of the stack says which file is meant.
pub fn split_position(text: &str, innermost: Option<&Site>) -> Option<(Site, String)> {
    let (file, line, message) = text.match_indices(':').find_map(|(at, _)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let message = rest[end..].strip_prefix(": ")?;
        Some((&text[..at], rest[..end].parse().ok()?, message))
    })?;
    if file.contains('\n') {
        return None;
    }
    let shortened = file.strip_prefix("...");
    let file = match (shortened, innermost) {
        (Some(tail), Some(site)) if site.file.ends_with(tail) => site.file.clone(),
        _ => file.to_owned(),
    };
    Some((Site { file, line }, message.to_owned()))
}

/// An error on loading a file.
pub fn from_load_error(error: &mlua::Error, file: &str) -> Box<Failure> {
    let text = plain_message(error);
    let here = Site { file: file.to_owned(), line: 1 };
    Box::new(match split_position(&text, Some(&here)) {
        Some((site, message)) => Failure { message, site: Some(site), ..Failure::default() },
        None => Failure { message: text, ..Failure::default() },
    })
}
