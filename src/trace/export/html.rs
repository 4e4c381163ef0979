//! One page that shows a trace in any browser, without a network: styles, code and data are in it.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::lanes::processes;
use crate::trace::show::{Item, ask_json, event_json, items, on, result_json, verdict_json, words};
use crate::trace::timeline::{Exchange, Happening, Timeline};

/// The most bytes of one text that the page holds: what is larger is cut, and said to be; `provium trace show --full`
/// has it whole. Ten thousand exchanges must still open at once.
const MAX_TEXT: usize = 16 << 10;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
const CODE: [&str; 4] = [
    include_str!("page/model.js"),
    include_str!("page/chart.js"),
    include_str!("page/panels.js"),
    include_str!("page/main.js"),
];

/// Writes the page.
pub fn write(out: &mut dyn Write, timeline: &Timeline) -> io::Result<()> {
    let title = escape_html(&timeline.header.file);
    let code = CODE.concat();
    // The parts are put in one after another, so that what one of them holds is never taken for a place of another.
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        out.write_all(before.as_bytes())?;
        match name {
            "title" => out.write_all(title.as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "code" => out.write_all(code.as_bytes())?,
            "data" => out.write_all(escape_script(&data(timeline).to_string()).as_bytes())?,
            _ => {}
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// JSON that may stand in a script element whatever it holds: no `<` ends the element, and what JavaScript once took
/// for line ends is escaped too. All of these stand only within strings.
fn escape_script(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Everything that the page shows.
fn data(timeline: &Timeline) -> Value {
    let header = &timeline.header;
    let tests: Vec<Value> = timeline
        .tests
        .iter()
        .map(|test| {
            let end = test.ended.as_ref().map(|(end, _)| *end);
            let verdict = test.ended.as_ref().map(|(_, verdict)| cut(verdict_json(timeline, verdict)));
            json!({ "name": test.name, "began": test.began, "closes": test.closes, "ended": end, "verdict": verdict })
        })
        .collect();
    let sources: Vec<Value> =
        timeline.sources.iter().map(|source| json!({ "name": source.name, "text": source.text })).collect();
    let events: Vec<Value> = items(timeline).filter_map(|item| event(timeline, &item)).collect();
    let processes: Vec<Value> = processes(timeline)
        .iter()
        .map(|process| {
            json!({
                "vm": timeline.vm(process.guest), "pid": process.pid, "command": process.command,
                "spawn": process.spawn, "wait": process.wait, "began": process.started, "ended": process.ended,
                "status": process.status,
            })
        })
        .collect();
    let programs: Vec<Value> = timeline
        .programs
        .iter()
        .map(|run| {
            let ended = run.gone.unwrap_or(timeline.end);
            json!({ "name": run.name, "pid": run.pid, "began": run.began, "ended": ended, "answers": run.answers })
        })
        .collect();
    json!({
        "file": header.file, "backend": header.backend, "strategy": header.strategy,
        "seed": header.seed.map(|seed| seed.to_string()), "writer": header.writer,
        "complete": timeline.complete, "choices": timeline.choices, "records": timeline.records, "end": timeline.end,
        "tests": tests, "sources": sources, "events": events, "processes": processes, "programs": programs,
        "exchanges": timeline.exchanges.iter().map(|one| exchange(timeline, one)).collect::<Vec<_>>(),
    })
}

fn exchange(timeline: &Timeline, exchange: &Exchange) -> Value {
    json!({
        "seq": exchange.seq,
        "test": exchange.test,
        "task": timeline.task_path(exchange.task),
        "vm": timeline.vm(exchange.guest),
        "worker": exchange.worker,
        "op": exchange.ask.as_ref().name(),
        "what": exchange.ask.as_ref().describe(),
        "outcome": exchange.outcome(),
        "state": match (&exchange.ended, exchange.abandoned) {
            (Some((_, Ok(_))), _) => "ok",
            (Some((_, Err(_))), _) => "error",
            (None, Some(_)) => "abandoned",
            (None, None) => "open",
        },
        "began": exchange.began,
        "over": exchange.over(),
        "from": exchange.record,
        "to": exchange.over_record,
        "source": exchange.at.map(|at| at.source),
        "line": exchange.at.map(|at| at.line),
        "arguments": cut(ask_json(exchange)),
        "result": result_json(exchange).map(cut),
    })
}

fn event(timeline: &Timeline, item: &Item<'_>) -> Option<Value> {
    let Item::Event(event) = item else { return None };
    if matches!(event.what, Happening::Boundary(_) | Happening::ProgramStart(_) | Happening::ProgramGone(_)) {
        return None;
    }
    let (what, outcome) = words(timeline, event);
    let opened = match event.what {
        Happening::Frame { opened, .. } => opened,
        _ => None,
    };
    let task = event.task.map(|task| timeline.task_path(Some(task)));
    Some(json!({
        "test": event.test, "task": task, "on": on(timeline, event), "opened": opened,
        "what": what, "outcome": outcome, "at": event.when, "from": event.record,
        "whole": cut(event_json(timeline, event)),
    }))
}

/// Cuts texts that are too long for a page.
fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let mut end = MAX_TEXT;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            Value::String(format!("{}… ({} bytes in all)", &text[..end], text.len()))
        }
        Value::Array(list) => Value::Array(list.into_iter().map(cut).collect()),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, cut(value))).collect()),
        other => other,
    }
}
