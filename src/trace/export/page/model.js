"use strict";
// What the page knows: the trace, its lanes, where each thing stands on the horizontal scale, and what is selected.

const data = JSON.parse(document.getElementById("data").textContent);

const KINDS = {
  run: "run", run_async: "run", wait: "run", kill: "run", status: "run", state: "run", wait_state: "run",
  stdin_write: "run", close_stdin: "run", close: "run",
  stdout_stream: "stream", stderr_stream: "stream", tail_file: "stream", fd_stream: "stream", tail_stream: "stream",
  close_stream: "stream", syscall: "call", batch: "call",
  spawn_worker: "worker", worker_kill: "worker", join: "worker", close_worker: "worker", worker_state: "worker",
  wait_blocked: "worker",
  boot: "machine", pause: "machine", resume: "machine", reset: "machine", power_button: "machine",
  shutdown: "machine", inspect: "machine",
};
const LEGEND = [["run", "commands and processes"], ["file", "files"], ["stream", "streams"], ["call", "system calls, batches"],
  ["worker", "workers"], ["machine", "machines"], ["process", "a process runs"], ["program", "a program written in Lua"]];
const kindOf = (exchange) => KINDS[exchange.op] || "file";

function duration(ns) {
  const short = (value, unit) => `${Number(value.toFixed(3))}${unit}`;
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return short(ns / 1e3, "µs");
  if (ns < 1e9) return short(ns / 1e6, "ms");
  if (ns < 60e9) return short(ns / 1e9, "s");
  if (ns < 3600e9) return `${Math.floor(ns / 60e9)}m ${Math.floor(ns / 1e9) % 60}s`;
  return `${Math.floor(ns / 3600e9)}h ${Math.floor(ns / 60e9) % 60}m`;
}
const clock = (ns) => (ns / 1e9).toFixed(6);

// --- The horizontal scale. On the even one each beginning and end takes a step, and a wait a little more the longer it
// is, so that an hour of sleep does not hide the microseconds around it.
const scale = (() => {
  const at = new Map();
  const note = (record, time) => { if (record !== null && record !== undefined) at.set(record, time); };
  for (const one of data.exchanges) { note(one.from, one.began); note(one.to, one.over); }
  for (const one of data.events) note(one.from, one.at);
  const records = [...at.keys()].sort((a, b) => a - b);
  const steps = [], times = [], byRecord = new Map();
  let step = 0, last = 0;
  for (const record of records) {
    const time = at.get(record);
    step += 1 + Math.log2(1 + Math.max(0, time - last) / 2e4) * 0.35;
    last = time;
    byRecord.set(record, step);
    steps.push(step);
    times.push(time);
  }
  const end = step + 1;
  // The first or the last step that stands at this time, with what lies between two drawn in proportion.
  const stepOfTime = (time, after) => {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (after ? times[middle] <= time : times[middle] < time) low = middle + 1; else high = middle;
    }
    if (after) low -= 1;
    if (low < 0) return 0;
    if (low >= times.length) return end;
    if (times[low] === time) return steps[low];
    const from = after ? low : low - 1;
    if (from < 0) return steps[0] * (times[0] ? time / times[0] : 1);
    if (from + 1 >= times.length) return steps[from];
    return steps[from] + ((time - times[from]) / (times[from + 1] - times[from])) * (steps[from + 1] - steps[from]);
  };
  const timeOfStep = (x) => {
    let low = 0, high = steps.length;
    while (low < high) { const middle = (low + high) >> 1; if (steps[middle] < x) low = middle + 1; else high = middle; }
    if (low === 0) return steps.length ? times[0] * Math.max(0, x / steps[0]) : 0;
    if (low >= steps.length) return data.end;
    return times[low - 1] + ((x - steps[low - 1]) / (steps[low] - steps[low - 1])) * (times[low] - times[low - 1]);
  };
  return { byRecord, end, stepOfTime, timeOfStep };
})();

// --- Lanes: tasks first, then each VM with its line, its workers and its processes.
const lanes = [];
const laneOf = new Map();
function lane(key, name, group, kind) {
  let found = laneOf.get(key);
  if (!found) {
    found = { key, name, group, kind, spans: [], marks: [], rows: 1 };
    laneOf.set(key, found);
    lanes.push(found);
  }
  return found;
}
const vmKey = (one) => `vm ${one.vm} ${one.worker ? `w ${one.worker}` : ""}`;
(() => {
  const natural = (a, b) => a.localeCompare(b, "en", { numeric: true });
  const tasks = [...new Set([...data.exchanges.map((one) => one.task), ...data.events.filter((one) => one.task).map((one) => one.task)])];
  tasks.sort((a, b) => (a === "close") - (b === "close") || natural(a, b));
  for (const task of tasks) lane(`task ${task}`, task, "tasks", "task");
  for (const vm of [...new Set(data.exchanges.map((one) => one.vm))]) {
    lane(vmKey({ vm }), "main line", `vm ${vm}`, "line");
    const workers = new Set(data.exchanges.filter((one) => one.vm === vm && one.worker).map((one) => one.worker));
    for (const worker of [...workers].sort(natural)) lane(vmKey({ vm, worker }), worker, `vm ${vm}`, "line");
    if (data.processes.some((one) => one.vm === vm)) lane(`processes ${vm}`, "processes", `vm ${vm}`, "process");
  }
  if (data.programs.length) lane("programs", "Lua programs", "programs", "process");
})();

function span(where, thing, kind, label, began, ended, from, to) {
  const one = { lane: where, thing, kind, label, began, ended, x0: 0, x1: 0, e0: from, e1: to, row: 0 };
  where.spans.push(one);
  return one;
}
for (const one of data.exchanges) {
  const over = one.over === null ? data.end : one.over;
  const from = scale.byRecord.get(one.from);
  const to = one.to === null ? scale.end : scale.byRecord.get(one.to);
  one.kind = kindOf(one);
  one.on = one.worker ? `${one.vm}/${one.worker}` : one.vm;
  one.spans = [laneOf.get(`task ${one.task}`), laneOf.get(vmKey(one))]
    .map((where) => span(where, one, one.kind, one.what, one.began, over, from, to));
}
for (const one of data.processes) {
  const spawn = data.exchanges[one.spawn];
  const from = spawn && spawn.to !== null ? scale.byRecord.get(spawn.to) : scale.stepOfTime(one.began, true);
  const wait = one.wait === null ? null : data.exchanges[one.wait];
  let to = scale.stepOfTime(one.ended, false);
  if (wait && wait.to !== null) to = Math.min(to, scale.byRecord.get(wait.to));
  one.exchange = spawn;
  span(laneOf.get(`processes ${one.vm}`), one, "process", `${one.pid} ${one.command}`, one.began, one.ended, from, Math.max(to, from + 0.3));
}
for (const one of data.programs) {
  const from = scale.stepOfTime(one.began, false);
  span(laneOf.get("programs"), one, "program", `${one.pid} ${one.name}`, one.began, one.ended, from, Math.max(scale.stepOfTime(one.ended, true), from + 0.3));
}
for (const one of data.events) {
  const opener = one.opened === null ? null : data.exchanges[one.opened];
  one.isEvent = true;
  const where = (opener && laneOf.get(vmKey(opener))) || (one.task && laneOf.get(`task ${one.task}`)) || lanes[0];
  if (where) where.marks.push({ event: one, e: scale.byRecord.get(one.from), t: one.at, lane: where });
}
// Rows within a lane, so that nothing lies on top of anything else, on either scale.
for (const where of lanes) {
  const free = [];
  where.spans.sort((a, b) => a.e0 - b.e0);
  for (const one of where.spans) {
    let row = free.findIndex((end) => end <= one.e0);
    if (row < 0) row = free.length;
    free[row] = one.e1;
    one.row = row;
  }
  where.rows = Math.max(1, free.length);
}
// Tests on the even scale: from the first thing that happens in them to the last.
data.tests.forEach((test, index) => { test.index = index; test.e0 = Infinity; test.e1 = -Infinity; });
const widen = (index, from, to) => {
  const test = index === null ? null : data.tests[index];
  if (test) { test.e0 = Math.min(test.e0, from - 0.5); test.e1 = Math.max(test.e1, to + 0.5); }
};
for (const one of data.exchanges) widen(one.test, one.spans[0].e0, one.to === null ? one.spans[0].e0 : one.spans[0].e1);
for (const one of data.events) widen(one.test, scale.byRecord.get(one.from), scale.byRecord.get(one.from));
for (const test of data.tests) {
  test.over = test.ended === null ? data.end : test.ended;
  if (test.e0 > test.e1) test.e0 = test.e1 = scale.stepOfTime(test.began, true);
}

// --- What is selected, and what is left after the filters.
const state = { even: true, x0: 0, x1: 1, top: 0, chosen: null, hover: null, text: "", only: new Set(), test: null };
const width = () => (state.even ? scale.end : Math.max(1, data.end));
const edges = (one) => (state.even ? [one.e0, one.e1] : [one.began, one.ended]);

const haystacks = new Map();
function haystack(one) {
  let text = haystacks.get(one);
  if (text === undefined) {
    const lua = one.line ? sourceLine(one.source, one.line) || "" : "";
    const parts = one.isEvent ? [one.what, one.outcome, one.whole] : [`#${one.seq}`, one.what, one.outcome, one.on, one.task, lua, one.arguments, one.result];
    text = parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join("\n").toLowerCase();
    haystacks.set(one, text);
  }
  return text;
}
function sourceLines(number) {
  const source = data.sources[number];
  if (!source) return [];
  source.lines = source.lines || source.text.split("\n");
  return source.lines;
}
const sourceLine = (number, line) => sourceLines(number)[line - 1];

function isShown(one) {
  if (state.test !== null && one.test !== state.test) return false;
  if (state.only.size) {
    const keys = one.isEvent ? [`task ${one.task}`, one.opened !== null && data.exchanges[one.opened] ? vmKey(data.exchanges[one.opened]) : ""] : one.spans.map((part) => part.lane.key);
    if (!keys.some((key) => state.only.has(key))) return false;
  }
  return !state.text || haystack(one).includes(state.text);
}
let shown = { items: [], set: new Set(), exchanges: [] };
function refilter() {
  const all = [...data.exchanges, ...data.events].sort((a, b) => a.from - b.from);
  const items = [];
  const set = new Set();
  let test = -1;
  for (const one of all) {
    if (!isShown(one)) continue;
    if (one.test !== test) {
      test = one.test;
      items.push({ heading: true, test });
    }
    items.push(one);
    set.add(one);
  }
  // A test that did nothing has no place in the order, but must not be missing.
  if (!state.text && !state.only.size) {
    const seen = new Set(items.filter((item) => item.heading).map((item) => item.test));
    for (const one of data.tests) if (!seen.has(one.index) && (state.test === null || state.test === one.index)) items.push({ heading: true, test: one.index });
  }
  shown = { items, set, exchanges: items.filter((item) => !item.heading && !item.isEvent) };
}
