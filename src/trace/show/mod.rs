//! A trace to look at: in columns for people, as lines of JSON for tools.

pub mod json;
pub mod table;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::fields;
use super::record::Boundary;
use super::timeline::{Event, Exchange, Happening, Timeline};
use crate::runner::describe;
use crate::runner::select::Filter;

/// What of a trace is shown. The default is everything.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// Only what belongs to a test whose name contains this.
    pub test: Option<String>,
    /// Only what this task and those that it spawned did.
    pub task: Option<String>,
    /// Only this VM, or one of its workers: `a`, `a/worker1`.
    pub vm: Option<String>,
    /// Only where the operation with all its arguments, the reply, the line, or the log matches.
    pub grep: Option<Filter>,
}

/// Something that stands in a line of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    /// An exchange.
    Exchange(&'a Exchange),
    /// Anything else.
    Event(&'a Event),
}

/// Exchanges and events in the order of the trace.
pub(super) fn items(timeline: &Timeline) -> impl Iterator<Item = Item<'_>> {
    let mut exchanges = timeline.exchanges.iter().peekable();
    let mut events = timeline.events.iter().peekable();
    std::iter::from_fn(move || match (exchanges.peek(), events.peek()) {
        (Some(exchange), Some(event)) if exchange.record < event.record => exchanges.next().map(Item::Exchange),
        (Some(_), None) => exchanges.next().map(Item::Exchange),
        _ => events.next().map(Item::Event),
    })
}

impl Item<'_> {
    fn test(&self) -> Option<usize> {
        match self {
            Item::Exchange(exchange) => exchange.test,
            Item::Event(event) => event.test,
        }
    }

    /// Whether it is a heading or the end of one, which stands or falls with what is below it.
    fn is_boundary(&self) -> bool {
        matches!(self, Item::Event(Event { what: Happening::Boundary(_), .. }))
    }
}

impl Selected {
    /// Whether it is everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.test.is_none() && self.task.is_none() && self.vm.is_none() && self.grep.is_none()
    }

    fn has(&self, timeline: &Timeline, item: &Item<'_>) -> bool {
        let test = timeline.test_name(item.test());
        if let Some(wanted) = &self.test
            && !test.is_some_and(|test| test.contains(wanted.as_str()))
        {
            return false;
        }
        if item.is_boundary() {
            return true;
        }
        self.has_task(timeline, item) && self.has_vm(timeline, item) && self.has_text(timeline, item)
    }

    fn has_task(&self, timeline: &Timeline, item: &Item<'_>) -> bool {
        let Some(wanted) = &self.task else { return true };
        let task = match item {
            Item::Exchange(exchange) => exchange.task,
            Item::Event(event) => event.task,
        };
        let path = timeline.task_path(task);
        path == wanted || path.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    fn has_vm(&self, timeline: &Timeline, item: &Item<'_>) -> bool {
        let Some(wanted) = &self.vm else { return true };
        let on = match item {
            Item::Exchange(exchange) => timeline.on(exchange),
            Item::Event(event) => match on(timeline, event) {
                Some(on) => on,
                None => return false,
            },
        };
        on == *wanted || on.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    fn has_text(&self, timeline: &Timeline, item: &Item<'_>) -> bool {
        let Some(wanted) = &self.grep else { return true };
        match item {
            Item::Exchange(exchange) => {
                let line = exchange.at.and_then(|at| timeline.line(at)).unwrap_or_default();
                // The whole is made only where the short form says nothing.
                wanted.matches(&exchange.ask.as_ref().describe())
                    || wanted.matches(&exchange.outcome())
                    || wanted.matches(line)
                    || texts(&ask_json(exchange)).any(|text| wanted.matches(&text))
                    || result_json(exchange).is_some_and(|result| texts(&result).any(|text| wanted.matches(&text)))
            }
            Item::Event(event) => {
                let (what, outcome) = words(timeline, event);
                wanted.matches(&what)
                    || wanted.matches(&outcome)
                    || texts(&event_json(timeline, event)).any(|text| wanted.matches(&text))
            }
        }
    }
}

/// All texts in a value.
fn texts(value: &Value) -> Box<dyn Iterator<Item = String> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.clone())),
        Value::Array(list) => Box::new(list.iter().flat_map(texts)),
        Value::Object(fields) => Box::new(fields.values().flat_map(texts)),
        _ => Box::new(std::iter::empty()),
    }
}

/// The arguments of an exchange.
pub(super) fn ask_json(exchange: &Exchange) -> Value {
    exchange.ask.as_ref().fields().to_json()
}

/// What came of an exchange: `{"ok": …}` or `{"error": …}`.
pub(super) fn result_json(exchange: &Exchange) -> Option<Value> {
    exchange.ended.as_ref().map(|(_, result)| match result {
        Ok(reply) => json!({ "ok": fields::of(reply).to_json() }),
        Err(error) => {
            let name = error.errno.and_then(|errno| errno.name());
            let kind = error.kind.name();
            json!({ "error": { "kind": kind, "message": error.message, "errno": error.errno.map(|errno| errno.0), "errname": name } })
        }
    })
}

/// On whom something happened, if that is known.
pub(super) fn on(timeline: &Timeline, event: &Event) -> Option<String> {
    match &event.what {
        Happening::Frame { guest, opened, .. } => {
            let opener = opened.and_then(|seq| timeline.exchange(seq));
            Some(opener.map_or_else(|| timeline.vm(*guest).to_owned(), |opener| timeline.on(opener)))
        }
        _ => None,
    }
}

/// What happened, and what came of it, in a few words.
pub(super) fn words(timeline: &Timeline, event: &Event) -> (String, String) {
    let program = |number: u32| usize::try_from(number).ok().and_then(|number| timeline.programs.get(number));
    match &event.what {
        Happening::Log(text) => ("log".to_owned(), text.clone()),
        Happening::Frame { stream, frame, .. } => {
            let taken = match frame {
                Ok(Some(frame)) => describe::quoted(&frame.data),
                Ok(None) => "end of stream".to_owned(),
                Err(error) => error.to_string(),
            };
            (format!("frame of stream {}", stream.0), taken)
        }
        Happening::HostFile { path, content } => {
            let came = match content {
                Ok(content) => format!("{} bytes", content.0.len()),
                Err(error) => error.message.clone(),
            };
            (format!("host file {}", describe::quoted(&path.0)), came)
        }
        Happening::Interrupt => ("computes past the deadline".to_owned(), "interrupted".to_owned()),
        Happening::ProgramStart(number) => match program(*number) {
            Some(run) => {
                let args: Vec<String> = run.args.iter().skip(1).map(|arg| describe::quoted(&arg.0)).collect();
                (format!("program {}({})", run.name, args.join(", ")), format!("starts as pid {}", run.pid))
            }
            None => (format!("program {number}"), "starts".to_owned()),
        },
        Happening::ProgramGone(number) => match program(*number) {
            Some(run) => (format!("program {}, pid {}", run.name, run.pid), "is gone".to_owned()),
            None => (format!("program {number}"), "is gone".to_owned()),
        },
        Happening::Halt(why) => {
            let why = match why {
                super::record::Halt::Deadline => "the deadline came",
                super::record::Halt::Stalled => "nothing could happen any more",
            };
            ("waiting for tasks".to_owned(), why.to_owned())
        }
        Happening::Boundary(what) => (boundary_name(what).to_owned(), String::new()),
    }
}

/// A boundary's name for tools.
pub(super) fn boundary_name(what: &Boundary) -> &'static str {
    match what {
        Boundary::FileBegins => "file_begins",
        Boundary::FileLoaded { .. } => "file_loaded",
        Boundary::TestBegins { .. } => "test_begins",
        Boundary::TestCloses => "test_closes",
        Boundary::TestEnds { .. } => "test_ends",
        Boundary::FileCloses => "file_closes",
        Boundary::FileEnds => "file_ends",
    }
}

/// An event for tools, without what all of them have.
pub(super) fn event_json(timeline: &Timeline, event: &Event) -> Value {
    match &event.what {
        Happening::Log(text) => json!({ "type": "log", "text": text }),
        Happening::Frame { guest, stream, opened, frame } => {
            let mut line = json!({ "type": "frame", "guest": guest, "vm": timeline.vm(*guest), "stream": stream.0, "opened_by": opened });
            match frame {
                Ok(frame) => {
                    line["data"] = frame.as_ref().map_or(Value::Null, |frame| fields::bytes_to_json(&frame.data))
                }
                Err(error) => line["error"] = Value::String(error.to_string()),
            }
            line
        }
        Happening::HostFile { path, content } => {
            let mut line = json!({ "type": "host_file", "path": fields::bytes_to_json(&path.0) });
            match content {
                Ok(content) => line["content"] = fields::bytes_to_json(&content.0),
                Err(error) => line["error"] = Value::String(error.message.clone()),
            }
            line
        }
        Happening::Interrupt => json!({ "type": "interrupt" }),
        Happening::ProgramStart(number) => {
            let run = usize::try_from(*number).ok().and_then(|number| timeline.programs.get(number));
            let fields = run.map(|run| {
                (run.name.as_str(), run.pid, fields::of(&run.args).to_json(), fields::of(&run.env).to_json())
            });
            let (name, pid, args, env) =
                fields.map_or((None, None, None, None), |(a, b, c, d)| (Some(a), Some(b), Some(c), Some(d)));
            json!({ "type": "program_start", "program": number, "name": name, "pid": pid, "args": args, "env": env })
        }
        Happening::ProgramGone(number) => json!({ "type": "program_gone", "program": number }),
        Happening::Halt(why) => json!({ "type": "halt", "why": format!("{why:?}").to_lowercase() }),
        Happening::Boundary(what) => {
            let mut line = json!({ "type": boundary_name(what) });
            match what {
                Boundary::FileLoaded { failure } => line["failure"] = json!(failure),
                Boundary::TestBegins { name } => line["name"] = json!(name),
                Boundary::TestEnds { name, verdict } => {
                    line["name"] = json!(name);
                    line["verdict"] = verdict_json(timeline, verdict);
                }
                _ => {}
            }
            line
        }
    }
}

/// A verdict for tools.
pub(super) fn verdict_json(timeline: &Timeline, verdict: &super::record::RecordedVerdict) -> Value {
    use super::record::RecordedVerdict;
    match verdict {
        RecordedVerdict::Passed => json!({ "is": "passed" }),
        RecordedVerdict::Failed { message, at } => {
            let site = at.and_then(|at| timeline.site(at));
            let (file, line) = (site.as_ref().map(|site| &site.file), site.as_ref().map(|site| site.line));
            json!({ "is": "failed", "message": message, "file": file, "line": line })
        }
        RecordedVerdict::Skipped { reason } => json!({ "is": "skipped", "reason": reason }),
    }
}
