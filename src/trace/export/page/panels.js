// The list below the chart, and the panel beside it.

const scroll = document.getElementById("scroll"), space = document.getElementById("space"), rows = document.getElementById("rows");
const side = document.getElementById("side");
const LINE = 24, HEAD = 26;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

/// Text in which what is filtered by is marked.
function marked(parent, text) {
  const at = state.text ? text.toLowerCase().indexOf(state.text) : -1;
  if (at < 0) {
    parent.append(text);
    return parent;
  }
  parent.append(text.slice(0, at), element("mark", "", text.slice(at, at + state.text.length)), text.slice(at + state.text.length));
  return parent;
}

const HEADS = [["#", "num"], ["began", "num"], ["took", "num"], ["task", ""], ["on", ""], ["operation", ""], ["outcome", ""], ["line", "num"]];
document.getElementById("heads").append(...HEADS.map(([text, className]) => element("span", className, text)));

function place(one) {
  const source = data.sources[one.source];
  if (!source || !one.line) return "";
  return source.name === data.file ? `${one.line}` : `${source.name.split("/").pop()}:${one.line}`;
}
const took = (one) => (one.over === null ? "…" : duration(one.over - one.began));

function testRow(index) {
  const test = data.tests[index];
  const row = element("div", "row test");
  if (!test) {
    row.append(element("b", "", "top level"));
    return row;
  }
  row.append(element("b", "", test.name), element("span", `pill ${verdictOf(test)}`, verdictOf(test)));
  row.addEventListener("click", () => { const [a, b] = testSpan(test); show(a, b, 0.03); });
  return row;
}

function itemRow(one) {
  if (one.heading) return testRow(one.test);
  const row = element("div", `row ${one.isEvent ? "event" : one.state}${one === state.chosen ? " chosen" : ""}`);
  const cells = one.isEvent
    ? ["", clock(one.at), "", one.task || "", one.on || "", one.what, one.outcome, ""]
    : [`${one.seq}`, clock(one.began), took(one), one.task, one.on, one.what, one.outcome, place(one)];
  cells.forEach((text, column) => {
    const cell = element("span", column < 3 || column === 7 ? "num" : "");
    if (column < 2) cell.classList.add("faint");
    if (column === 6) cell.classList.add("outcome");
    if (column === 5 && !one.isEvent) {
      const dot = element("i", "dot");
      dot.style.background = `var(--${one.kind})`;
      cell.append(dot);
    }
    marked(cell, text);
    if (column > 2) cell.title = text;
    row.append(cell);
  });
  if (!one.isEvent) row.dataset.seq = one.seq;
  row.addEventListener("click", () => choose(one));
  row.addEventListener("dblclick", () => zoomTo(one));
  return row;
}

/// Draws the lines of the list that can be seen.
function drawList() {
  const first = Math.max(0, Math.floor(scroll.scrollTop / LINE) - 10);
  const last = Math.min(shown.items.length, first + Math.ceil((scroll.clientHeight || 600) / LINE) + 20);
  space.style.height = `${shown.items.length * LINE}px`;
  rows.style.transform = `translateY(${first * LINE}px)`;
  if (!shown.items.length) {
    rows.replaceChildren(element("div", "", "Nothing in the trace matches."));
    rows.firstChild.id = "empty";
    return;
  }
  rows.replaceChildren(...shown.items.slice(first, last).map(itemRow));
}

function scrollTo(one) {
  const index = shown.items.indexOf(one);
  if (index < 0) return;
  const top = index * LINE, room = scroll.clientHeight - HEAD;
  if (top < scroll.scrollTop + LINE) scroll.scrollTop = top - LINE;
  else if (top > scroll.scrollTop + room - LINE * 2) scroll.scrollTop = top - room + LINE * 3;
}

/// A value as text with its names, texts and numbers told apart.
function value(parent, it, indent) {
  const pad = "  ".repeat(indent);
  if (it === null) parent.append(element("span", "word", "nothing"));
  else if (typeof it === "string") parent.append(element("span", "text", it.includes("\n") && it.length > 1 ? it : JSON.stringify(it)));
  else if (typeof it === "number") parent.append(element("span", "num", `${it}`));
  else if (typeof it === "boolean") parent.append(element("span", "word", it ? "yes" : "no"));
  else if (Array.isArray(it)) {
    if (!it.length) parent.append("none");
    else if (it.every((one) => one === null || typeof one !== "object")) {
      it.forEach((one, index) => { if (index) parent.append(", "); value(parent, one, indent); });
    } else it.forEach((one) => { parent.append(`\n${pad}• `); value(parent, one, indent + 1); });
  } else {
    const names = Object.keys(it);
    const kind = names.length === 1 && /^[A-Z]/.test(names[0]) ? names[0] : null;
    if (kind && (it[kind] === null || typeof it[kind] !== "object")) {
      parent.append(element("span", "word", kind), " ");
      value(parent, it[kind], indent);
    } else if (kind && !indent) value(parent, it[kind], indent);
    else if (names.length === 1 && names[0] === "base64") parent.append(element("span", "key", "base64 "), element("span", "text", it.base64));
    else names.forEach((name, index) => {
      if (index || indent) parent.append(`\n${pad}`);
      const time = name.endsWith("_ns") && typeof it[name] === "number";
      parent.append(element("span", "key", `${time ? name.slice(0, -3) : name}: `));
      if (time) parent.append(element("span", "num", duration(it[name])));
      else value(parent, it[name], indent + 1);
    });
  }
}

/// What goes without saying is left out: what is empty or was not asked for.
function plain(it) {
  if (Array.isArray(it)) return it.map(plain);
  if (it === null || typeof it !== "object") return it;
  const kept = Object.entries(it).filter(([name, held]) => !(name === "max_output" && held === 16 << 20) && held !== null && held !== false && held !== "" && !(typeof held === "object" && !Object.keys(held).length));
  return Object.fromEntries(kept.map(([name, held]) => [name, plain(held)]));
}

function block(title, it, whole) {
  const parts = [element("h3", "", title)];
  const pre = element("pre");
  value(pre, whole ? it : plain(it), 0);
  if (!pre.textContent) pre.append(element("span", "dim", "nothing"));
  parts.push(pre);
  return parts;
}

function sourceBlock(number, line, around) {
  const lines = sourceLines(number);
  if (!lines.length || !line) return [];
  const pre = element("pre", "source");
  const first = Math.max(1, line - around), last = Math.min(lines.length, line + around);
  for (let at = first; at <= last; at += 1) {
    const row = element("div", at === line ? "here" : "");
    row.append(element("span", "no", `${at}`), lines[at - 1] || " ");
    pre.append(row);
  }
  return [element("h3", "", `${data.sources[number].name}:${line}`), pre];
}

function facts(pairs) {
  const list = element("dl");
  for (const [name, text] of pairs) if (text !== null && text !== undefined && text !== "") list.append(element("dt", "", name), element("dd", "", text));
  return list;
}

function link(text, go, enabled) {
  const button = element("button", "", text);
  button.type = "button";
  button.disabled = !enabled;
  button.addEventListener("click", go);
  return button;
}

function exchangePanel(one) {
  const title = marked(element("h2"), one.what);
  const verdict = element("p");
  verdict.append(element("span", `pill ${one.state}`, one.state === "ok" ? "answered" : one.state), " ");
  verdict.append(one.state === "open" ? "no answer in the trace" : one.outcome);
  const parts = [title, verdict, facts([
    ["exchange", `#${one.seq}`], ["on", one.on], ["task", one.task], ["test", one.test === null ? "top level" : data.tests[one.test].name],
    ["began", `${clock(one.began)}s`], ["took", took(one)],
  ])];
  parts.push(...sourceBlock(one.source, one.line, 4));
  // What to run is told with the rest, not within it.
  const { spec, ...rest } = one.arguments && one.arguments.spec ? one.arguments : { ...one.arguments };
  const whole = one.arguments && typeof one.arguments === "object" && !Array.isArray(one.arguments) ? { ...spec, ...rest } : one.arguments;
  parts.push(...block("Arguments", whole));
  if (one.result) {
    const answer = one.result.error || one.result.ok;
    parts.push(...block(one.result.error ? "Error" : "Answer", answer === "Unit" ? "done" : answer));
  }
  const started = data.processes.find((process) => process.spawn === one.seq);
  const waited = data.processes.find((process) => process.wait === one.seq);
  const same = data.exchanges.filter((other) => other.task === one.task && other.test === one.test);
  const at = same.indexOf(one);
  const links = element("div", "links");
  links.append(link("← in this task", () => choose(same[at - 1]), at > 0), link("in this task →", () => choose(same[at + 1]), at + 1 < same.length));
  if (started && started.wait !== null) links.append(link(`waited for by #${started.wait}`, () => choose(data.exchanges[started.wait]), true));
  if (waited) links.append(link(`started by #${waited.spawn}`, () => choose(data.exchanges[waited.spawn]), true));
  links.append(link("zoom to it", () => zoomTo(one), true));
  parts.push(links);
  return parts;
}

function eventPanel(one) {
  const parts = [marked(element("h2"), one.what), element("p", "", one.outcome)];
  parts.push(facts([["at", `${clock(one.at)}s`], ["task", one.task], ["on", one.on], ["test", one.test === null ? "top level" : data.tests[one.test].name]]));
  parts.push(...block("Whole", one.whole, true));
  return parts;
}

function testCard(test) {
  const card = element("button", "card");
  card.type = "button";
  card.append(element("span", `pill ${verdictOf(test)}`, verdictOf(test)), element("span", "", test.name), element("span", "dim", duration(test.over - test.began)));
  const said = test.verdict && (test.verdict.message || test.verdict.reason);
  if (said) card.append(element("span", "message", said));
  card.addEventListener("click", () => { const [a, b] = testSpan(test); show(a, b, 0.03); scrollTo(shown.items.find((item) => item.heading && item.test === test.index)); });
  return card;
}

/// What is shown while nothing is selected: what came of the run.
function runPanel() {
  const failed = data.tests.filter((test) => verdictOf(test) === "failed");
  const parts = [];
  if (!data.complete) parts.push(element("p", "pill open", "The trace ends before its run does."));
  for (const test of failed) {
    parts.push(testCard(test));
    const number = data.sources.findIndex((source) => source.name === test.verdict.file);
    parts.push(...sourceBlock(number, test.verdict.line, 3));
  }
  const rest = data.tests.filter((test) => !failed.includes(test));
  if (failed.length && rest.length) parts.push(element("h3", "", "Other tests"));
  parts.push(...rest.map(testCard));
  if (!data.tests.length) parts.push(element("p", "dim", "No test has begun."));
  parts.push(element("h3", "", "Colours"));
  const legend = element("div", "legend");
  const used = new Set([...data.exchanges.map((one) => one.kind), ...(data.processes.length ? ["process"] : []), ...(data.programs.length ? ["program"] : [])]);
  for (const [kind, text] of LEGEND.filter(([name]) => used.has(name))) {
    const entry = element("span");
    const sample = element("i");
    sample.style.background = `var(--${kind})`;
    entry.append(sample, text);
    legend.append(entry);
  }
  parts.push(legend);
  return parts;
}

function drawSide() {
  const one = state.chosen;
  side.replaceChildren(...(!one ? runPanel() : one.isEvent ? eventPanel(one) : exchangePanel(one)));
  side.scrollTop = 0;
}

function drawFacts() {
  const count = (is) => data.tests.filter((test) => verdictOf(test) === is).length;
  const line = document.getElementById("facts");
  const parts = [];
  for (const [is, className] of [["failed", "bad"], ["passed", "good"], ["skipped", "care"]]) {
    if (count(is)) parts.push(element("b", className, `${count(is)} ${is}`));
  }
  const more = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const schedule = data.seed !== null ? `${data.strategy} schedule, seed ${data.seed}` : data.strategy ? `${data.strategy} schedule` : "";
  for (const text of [more(data.exchanges.length, "exchange"), more(data.choices, "choice"), `lab clock ${duration(data.end)}`, `on ${data.backend}`, schedule]) {
    if (text) parts.push(element("span", "", text));
  }
  if (!data.complete) parts.push(element("b", "care", "torn"));
  parts.forEach((part, index) => line.append(...(index ? [", ", part] : [part])));
}
