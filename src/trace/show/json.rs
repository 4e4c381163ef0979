//! A trace as lines of JSON. Fields are added, never renamed.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Item, Selected, ask_json, event_json, items, result_json};
use crate::trace::timeline::{Event, Exchange, Timeline};

/// Writes one object a line: `trace` first, then each `source`, then what happened in order. Bytes are a string where
/// they are UTF-8, else `{"base64": "…"}`; times are nanoseconds of the lab's clock.
pub fn write(out: &mut dyn Write, timeline: &Timeline, selected: &Selected) -> io::Result<()> {
    line(
        out,
        &json!({
            "type": "trace", "header": timeline.header, "complete": timeline.complete, "records": timeline.records,
            "exchanges": timeline.exchanges.len(), "choices": timeline.choices, "draws": timeline.draws,
            "end_ns": timeline.end,
        }),
    )?;
    for source in &timeline.sources {
        line(out, &json!({ "type": "source", "name": source.name, "module": source.module, "text": source.text }))?;
    }
    for item in items(timeline).filter(|item| selected.has(timeline, item)) {
        let object = match item {
            Item::Exchange(exchange) => exchange_json(timeline, exchange),
            Item::Event(event) => whole_event(timeline, event),
        };
        line(out, &object)?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, object: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)
}

/// An exchange for tools.
pub(in crate::trace) fn exchange_json(timeline: &Timeline, exchange: &Exchange) -> Value {
    let site = exchange.at.and_then(|at| timeline.site(at));
    json!({
        "type": "exchange",
        "seq": exchange.seq,
        "record": exchange.record,
        "test": timeline.test_name(exchange.test),
        "task": timeline.task_path(exchange.task),
        "index": exchange.index,
        "guest": exchange.guest,
        "vm": timeline.vm(exchange.guest),
        "lane": exchange.lane.to_string(),
        "worker": exchange.worker,
        "op": exchange.ask.as_ref().name(),
        "arguments": ask_json(exchange),
        "result": result_json(exchange),
        "began_ns": exchange.began,
        "ended_ns": exchange.ended.as_ref().map(|(when, _)| *when),
        "abandoned_ns": exchange.abandoned,
        "file": site.as_ref().map(|site| site.file.as_str()),
        "line": site.as_ref().map(|site| site.line),
    })
}

fn whole_event(timeline: &Timeline, event: &Event) -> Value {
    let mut object = event_json(timeline, event);
    object["record"] = json!(event.record);
    object["at_ns"] = json!(event.when);
    object["test"] = json!(timeline.test_name(event.test));
    object["task"] = json!(event.task.map(|task| timeline.task_path(Some(task))));
    object
}
