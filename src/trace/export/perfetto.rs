//! For the Perfetto UI and `chrome://tracing`: JSON in the Trace Event Format.
//!
//! Tests and tasks are one group of tracks, each VM is another: its main line, its workers, its processes. Spans of a
//! track never overlap: where two exchanges of a line do, the later one is on a second track of the same name.

use std::collections::BTreeMap;
use std::io::{self, Write};

use provium_protocol::Nanos;
use serde_json::{Value, json};

use super::lanes::{processes, rows};
use crate::trace::record::{GuestNo, RecordedVerdict};
use crate::trace::show::{Item, ask_json, event_json, items, on, result_json, verdict_json, words};
use crate::trace::timeline::{Exchange, Happening, Timeline};

/// The group of tests and tasks.
const TESTS: u32 = 1;

/// The first group of a VM.
const FIRST_VM: u32 = 2;

/// A track: its group and its number in it.
type Track = (u32, u32);

/// Writes the trace.
pub fn write(out: &mut dyn Write, timeline: &Timeline) -> io::Result<()> {
    let mut export = Export { out, first: true, tracks: BTreeMap::new(), groups: BTreeMap::new(), next: 1 };
    write!(export.out, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{},\"traceEvents\":[", other(timeline))?;
    export.group(TESTS, "tests and tasks")?;
    export.tests(timeline)?;
    export.exchanges(timeline)?;
    export.processes(timeline)?;
    export.programs(timeline)?;
    export.events(timeline)?;
    writeln!(export.out, "\n]}}")
}

fn other(timeline: &Timeline) -> Value {
    let header = &timeline.header;
    json!({ "file": header.file, "backend": header.backend, "writer": header.writer, "seed": header.seed })
}

/// The format counts in microseconds; three digits after the point keep every nanosecond.
fn micros(ns: Nanos) -> Value {
    let text = format!("{}.{:03}", ns / 1_000, ns % 1_000);
    serde_json::from_str(&text).unwrap_or_else(|_| json!(ns / 1_000))
}

struct Export<'a> {
    out: &'a mut dyn Write,
    first: bool,
    tracks: BTreeMap<(u32, String), Track>,
    groups: BTreeMap<String, u32>,
    next: u32,
}

/// Spans of one line, in the order in which they begin.
struct Spans<'a> {
    group: u32,
    name: String,
    sort: u32,
    exchanges: Vec<&'a Exchange>,
}

impl Export<'_> {
    fn event(&mut self, event: &Value) -> io::Result<()> {
        write!(self.out, "{}\n{event}", if self.first { "" } else { "," })?;
        self.first = false;
        Ok(())
    }

    fn group(&mut self, group: u32, name: &str) -> io::Result<()> {
        self.event(&json!({ "ph": "M", "name": "process_name", "pid": group, "args": { "name": name } }))?;
        self.event(&json!({ "ph": "M", "name": "process_sort_index", "pid": group, "args": { "sort_index": group } }))
    }

    /// The group of a VM.
    fn vm(&mut self, timeline: &Timeline, guest: GuestNo) -> io::Result<u32> {
        let vm = timeline.vm(guest);
        if let Some(group) = self.groups.get(vm) {
            return Ok(*group);
        }
        let group = FIRST_VM + u32::try_from(self.groups.len()).unwrap_or(u32::MAX - FIRST_VM);
        self.groups.insert(vm.to_owned(), group);
        self.group(group, &format!("vm {vm}"))?;
        Ok(group)
    }

    /// A track by name; `sort` is its place in the group.
    fn track(&mut self, group: u32, name: &str, sort: u32) -> io::Result<Track> {
        if let Some(track) = self.tracks.get(&(group, name.to_owned())) {
            return Ok(*track);
        }
        let (pid, tid) = (group, self.next);
        self.next += 1;
        self.tracks.insert((group, name.to_owned()), (pid, tid));
        self.event(&json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } }))?;
        let args = json!({ "sort_index": sort });
        self.event(&json!({ "ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": args }))?;
        Ok((pid, tid))
    }

    fn span(
        &mut self,
        (pid, tid): Track,
        name: &str,
        kind: &str,
        times: (Nanos, Nanos),
        args: Value,
    ) -> io::Result<()> {
        let (ts, dur) = (micros(times.0), micros(times.1.saturating_sub(times.0)));
        self.event(&json!({
            "ph": "X", "name": name, "cat": kind, "pid": pid, "tid": tid, "ts": ts, "dur": dur, "args": args,
        }))
    }

    fn instant(&mut self, (pid, tid): Track, name: &str, kind: &str, at: Nanos, args: Value) -> io::Result<()> {
        self.event(&json!({
            "ph": "i", "s": "t", "name": name, "cat": kind, "pid": pid, "tid": tid, "ts": micros(at), "args": args,
        }))
    }

    fn tests(&mut self, timeline: &Timeline) -> io::Result<()> {
        let track = self.track(TESTS, "tests", 0)?;
        for test in &timeline.tests {
            let (end, verdict) = match &test.ended {
                Some((end, verdict)) => (*end, verdict_json(timeline, verdict)),
                None => (timeline.end, Value::Null),
            };
            self.span(track, &test.name, "test", (test.began, end), json!({ "verdict": verdict }))?;
            if let Some((end, RecordedVerdict::Failed { message, .. })) = &test.ended {
                self.instant(track, "FAILED", "test", *end, json!({ "message": message }))?;
            }
        }
        Ok(())
    }

    fn exchanges(&mut self, timeline: &Timeline) -> io::Result<()> {
        let mut lines: BTreeMap<(u32, u32, String), Spans<'_>> = BTreeMap::new();
        for exchange in &timeline.exchanges {
            let vm = self.vm(timeline, exchange.guest)?;
            let (sort, line) = match &exchange.worker {
                Some(worker) => (2, format!("worker {worker}")),
                None => (1, "main line".to_owned()),
            };
            let task = format!("task {}", timeline.task_path(exchange.task));
            for (group, sort, name) in [(vm, sort, line), (TESTS, 1, task)] {
                let spans = Spans { group, name: name.clone(), sort, exchanges: Vec::new() };
                lines.entry((group, sort, name)).or_insert(spans).exchanges.push(exchange);
            }
        }
        for spans in lines.into_values() {
            let times = |exchange: &&Exchange| (exchange.began, exchange.over().unwrap_or(timeline.end));
            let placed = rows(spans.exchanges.iter().map(times));
            for (exchange, row) in spans.exchanges.iter().zip(placed) {
                let more = if row == 0 { String::new() } else { format!(" ({})", row + 1) };
                let track = self.track(spans.group, &format!("{}{more}", spans.name), spans.sort)?;
                let name = exchange.ask.as_ref().describe();
                let kind = if matches!(exchange.ended, Some((_, Err(_)))) { "exchange,error" } else { "exchange" };
                self.span(track, &name, kind, times(exchange), exchange_args(timeline, exchange))?;
            }
        }
        Ok(())
    }

    fn processes(&mut self, timeline: &Timeline) -> io::Result<()> {
        for (number, process) in processes(timeline).iter().enumerate() {
            let group = self.vm(timeline, process.guest)?;
            // Process ids come again after a reboot: the number keeps the tracks apart.
            let name = format!("pid {} #{} {}", process.pid, process.spawn, process.command);
            let track = self.track(group, &name, 3)?;
            let args = json!({ "pid": process.pid, "status": process.status, "started_by": process.spawn });
            self.span(track, &process.command, "process", (process.started, process.ended), args)?;
            let arrow = |ph: &str, (pid, tid): Track, at: Nanos| {
                json!({
                    "ph": ph, "bp": "e", "id": number, "name": "waits for", "cat": "process", "pid": pid, "tid": tid,
                    "ts": micros(at),
                })
            };
            let Some(wait) = process.wait.and_then(|wait| timeline.exchange(wait)) else { continue };
            let (sort, line) = match &wait.worker {
                Some(worker) => (2, format!("worker {worker}")),
                None => (1, "main line".to_owned()),
            };
            let waiter = self.track(group, &line, sort)?;
            self.event(&arrow("s", track, process.started))?;
            self.event(&arrow("f", waiter, wait.began.max(process.started)))?;
        }
        Ok(())
    }

    fn programs(&mut self, timeline: &Timeline) -> io::Result<()> {
        if timeline.programs.is_empty() {
            return Ok(());
        }
        let group = FIRST_VM + u32::try_from(self.groups.len()).unwrap_or(u32::MAX - FIRST_VM);
        self.groups.insert(String::new(), group);
        self.group(group, "programs written in Lua")?;
        for program in &timeline.programs {
            let track = self.track(group, &format!("pid {} {}", program.pid, program.name), 0)?;
            let end = program.gone.unwrap_or(timeline.end);
            let args = json!({ "pid": program.pid, "answers": program.answers });
            self.span(track, &program.name, "program", (program.began, end), args)?;
        }
        Ok(())
    }

    fn events(&mut self, timeline: &Timeline) -> io::Result<()> {
        let tests = self.track(TESTS, "tests", 0)?;
        for item in items(timeline) {
            let Item::Event(event) = item else { continue };
            if matches!(event.what, Happening::ProgramStart(_) | Happening::ProgramGone(_)) {
                continue;
            }
            let track = match event.task {
                Some(_) => self.track(TESTS, &format!("task {}", timeline.task_path(event.task)), 1)?,
                None => tests,
            };
            let (what, came) = words(timeline, event);
            let name = if came.is_empty() { what } else { format!("{what}: {came}") };
            let args = json!({ "on": on(timeline, event), "whole": event_json(timeline, event) });
            self.instant(track, &name, "event", event.when, args)?;
        }
        Ok(())
    }
}

fn exchange_args(timeline: &Timeline, exchange: &Exchange) -> Value {
    let site = exchange.at.and_then(|at| timeline.site(at));
    json!({
        "seq": exchange.seq,
        "test": timeline.test_name(exchange.test),
        "task": timeline.task_path(exchange.task),
        "on": timeline.on(exchange),
        "at": site.map(|site| format!("{}:{}", site.file, site.line)),
        "lua": exchange.at.and_then(|at| timeline.line(at)).map(str::trim),
        "outcome": exchange.outcome(),
        "arguments": ask_json(exchange),
        "result": result_json(exchange),
    })
}
