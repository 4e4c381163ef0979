// The lanes over time, drawn on a canvas.

const canvas = document.getElementById("canvas");
const labels = document.getElementById("labels");
const tip = document.getElementById("tip");
const pen = canvas.getContext("2d");
const RULER = 26, RIBBON = 24, ROW = 19, PAD = 5, GROUP = 24;
let layout = [], height = 0, size = { w: 0, h: 0 }, ink = {}, drawn = false;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["bg", "panel", "line", "soft", "ink", "dim", "faint", "accent", "good", "good-soft", "bad", "bad-soft", "care",
    "care-soft", "shade", "run", "file", "stream", "call", "worker", "machine", "process", "program"];
  for (const name of names) ink[name] = style.getPropertyValue(`--${name}`).trim();
}

/// Whether a lane has anything of the test that was chosen.
function isUsed(one) {
  if (state.test === null) return true;
  const testOf = (thing) => (thing.seq === undefined && thing.exchange ? thing.exchange.test : thing.test);
  return one.spans.some((part) => testOf(part.thing) === state.test) || one.marks.some((mark) => mark.event.test === state.test);
}

/// Puts the lanes below each other.
function arrange() {
  layout = [];
  labels.replaceChildren();
  let y = 0, group = null;
  const label = (text, className, top, tall, title) => {
    const element = document.createElement("div");
    element.className = className;
    const inner = document.createElement("span");
    inner.textContent = text;
    element.append(inner);
    element.title = title || text;
    element.style.height = `${tall}px`;
    labels.append(element);
    return element;
  };
  for (const one of lanes) {
    one.y = undefined;
    if (!isUsed(one)) continue;
    if (one.group !== group) {
      group = one.group;
      layout.push({ y, tall: GROUP, element: label(group, "group", y, GROUP) });
      y += GROUP;
    }
    const tall = one.rows * ROW + PAD;
    const element = label(one.name, "lane", y, tall, `${one.name}: only this lane; with shift this one too`);
    element.addEventListener("click", (event) => toggleLane(one, event.shiftKey));
    layout.push({ y, tall, lane: one, element });
    one.y = y;
    one.tall = tall;
    y += tall;
  }
  height = y + 8;
  const ruler = label("lab clock", "ruler", 0, RULER + RIBBON);
  ruler.style.top = "0px";
  ruler.style.alignItems = "flex-start";
  ruler.style.paddingTop = "5px";
}

function placeLabels() {
  for (const part of layout) {
    part.element.style.top = `${RULER + RIBBON + part.y - state.top}px`;
    if (part.lane) {
      part.element.classList.toggle("on", state.only.has(part.lane.key));
      part.element.classList.toggle("off", state.only.size > 0 && !state.only.has(part.lane.key));
    }
  }
}

const toX = (value) => ((value - state.x0) / (state.x1 - state.x0)) * size.w;
const fromX = (x) => state.x0 + (x / size.w) * (state.x1 - state.x0);

/// Keeps the view on what there is.
function clamp() {
  const whole = width(), least = state.even ? 2 : 200;
  const wide = Math.min(Math.max(state.x1 - state.x0, Math.min(least, whole)), whole * 1.04);
  const middle = (state.x0 + state.x1) / 2;
  state.x0 = middle - wide / 2;
  state.x0 = Math.max(-whole * 0.02, Math.min(state.x0, whole * 1.02 - wide));
  state.x1 = state.x0 + wide;
  state.top = Math.max(0, Math.min(state.top, height - (size.h - RULER - RIBBON)));
}

function redraw() {
  if (!drawn) {
    drawn = true;
    requestAnimationFrame(() => { drawn = false; draw(); });
  }
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const box = canvas.getBoundingClientRect();
  size = { w: Math.max(1, box.width), h: Math.max(1, box.height) };
  if (canvas.width !== Math.round(size.w * ratio) || canvas.height !== Math.round(size.h * ratio)) {
    canvas.width = Math.round(size.w * ratio);
    canvas.height = Math.round(size.h * ratio);
  }
  clamp();
  placeLabels();
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = ink.bg;
  pen.fillRect(0, 0, size.w, size.h);
  drawLanes();
  drawRuler();
  drawRibbon();
}

const sans = (px, weight) => `${weight || 400} ${px}px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
const mono = (px) => `${px}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace`;

/// Text that ends where its room does. Cutting is by measure of one letter: these are drawn by the thousand.
function label(text, x, y, room, colour, wide) {
  if (room < 14) return;
  const fits = Math.floor(room / wide);
  const cut = text.length > fits ? `${text.slice(0, Math.max(0, fits - 1))}…` : text;
  pen.fillStyle = colour;
  pen.fillText(cut, x, y);
}

function testSpan(test) {
  return state.even ? [test.e0, test.e1] : [test.began, test.over];
}

function drawLanes() {
  pen.save();
  pen.beginPath();
  pen.rect(0, RULER + RIBBON, size.w, size.h);
  pen.clip();
  const top = RULER + RIBBON - state.top;
  let odd = false;
  for (const part of layout) {
    const y = top + part.y;
    if (y > size.h || y + part.tall < RULER) { odd = !odd; continue; }
    if (!part.lane) {
      pen.fillStyle = ink.panel;
      pen.fillRect(0, y, size.w, part.tall);
      odd = false;
      continue;
    }
    odd = !odd;
    if (odd) {
      pen.fillStyle = ink.shade;
      pen.fillRect(0, y, size.w, part.tall);
    }
    pen.fillStyle = ink.line;
    pen.globalAlpha = 0.6;
    pen.fillRect(0, y + part.tall - 1, size.w, 1);
    pen.globalAlpha = 1;
  }
  // Where tests part.
  for (const test of data.tests) {
    for (const x of testSpan(test).map(toX)) {
      if (x < -1 || x > size.w) continue;
      pen.fillStyle = ink.line;
      pen.fillRect(Math.round(x), RULER, 1, size.h);
    }
  }
  const filtered = state.text || state.only.size || state.test !== null;
  for (const part of layout) {
    const y = top + part.y;
    if (!part.lane || y > size.h || y + part.tall < RULER) continue;
    pen.font = mono(11);
    pen.textBaseline = "middle";
    const letter = pen.measureText("m").width;
    for (const one of part.lane.spans) {
      const [a, b] = edges(one);
      const x0 = toX(a), x1 = Math.max(toX(b), x0 + 3);
      if (x1 < 0 || x0 > size.w) continue;
      drawSpan(one, x0, x1, y + PAD / 2 + one.row * ROW, letter, filtered);
    }
    for (const mark of part.lane.marks) {
      const x = toX(state.even ? mark.e : mark.t);
      if (x >= -4 && x <= size.w + 4) drawMark(mark, x, y + PAD / 2 + ROW / 2, filtered);
    }
  }
  pen.restore();
}

function drawSpan(one, x0, x1, y, letter, filtered) {
  const thing = one.thing;
  const exchange = thing.seq !== undefined;
  const dimmed = filtered && (exchange ? !shown.set.has(thing) : !(thing.exchange && shown.set.has(thing.exchange)));
  const left = Math.max(x0, -2), right = Math.min(x1, size.w + 2), tall = ROW - 3;
  const wide = Math.max(1, right - left - (right - left > 4 ? 1 : 0));
  pen.globalAlpha = dimmed ? 0.14 : 1;
  pen.fillStyle = ink[one.kind];
  pen.beginPath();
  pen.roundRect(left, y, wide, tall, Math.min(3, wide / 2));
  pen.fill();
  const state_ = thing.state;
  if (state_ === "error" || state_ === "abandoned" || state_ === "open") {
    pen.fillStyle = state_ === "error" ? ink.bad : ink.care;
    pen.fillRect(left, y + tall - 3, wide, 3);
  }
  if (exchange && (thing === state.chosen || thing === state.hover)) {
    pen.lineWidth = thing === state.chosen ? 2 : 1;
    pen.strokeStyle = thing === state.chosen ? ink.ink : ink.dim;
    pen.stroke();
  }
  const pale = one.kind === "process" || one.kind === "program";
  label(one.label, Math.max(x0, 0) + 5, y + tall / 2 + 0.5, right - Math.max(x0, 0) - 8, pale ? ink.ink : "#ffffff", letter);
  pen.globalAlpha = 1;
}

function drawMark(mark, x, y, filtered) {
  pen.globalAlpha = filtered && !shown.set.has(mark.event) ? 0.14 : 1;
  pen.beginPath();
  pen.moveTo(x, y - 5); pen.lineTo(x + 5, y); pen.lineTo(x, y + 5); pen.lineTo(x - 5, y);
  pen.closePath();
  pen.fillStyle = mark.event === state.chosen ? ink.accent : ink.bg;
  pen.fill();
  pen.lineWidth = 1.5;
  pen.strokeStyle = mark.event === state.chosen || mark.event === state.hover ? ink.accent : ink.dim;
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawRuler() {
  pen.fillStyle = ink.panel;
  pen.fillRect(0, 0, size.w, RULER);
  pen.fillStyle = ink.line;
  pen.fillRect(0, RULER - 1, size.w, 1);
  pen.font = sans(11);
  pen.textBaseline = "middle";
  pen.fillStyle = ink.dim;
  const tick = (x, text) => {
    pen.fillStyle = ink.line;
    pen.fillRect(Math.round(x), RULER - 6, 1, 6);
    pen.fillStyle = ink.dim;
    pen.fillText(text, x + 4, RULER / 2);
  };
  if (state.even) {
    // The clock does not run evenly here: each mark says what it reads.
    let last = null;
    for (let x = 0; x < size.w; x += 110) {
      const time = Math.max(0, Math.min(scale.timeOfStep(fromX(x)), data.end));
      const text = `${clock(Math.round(time))}s`;
      if (fromX(x) >= 0 && fromX(x) <= scale.end && text !== last) tick(x, text);
      last = text;
    }
    return;
  }
  const raw = (state.x1 - state.x0) / Math.max(1, size.w / 110);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw);
  const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step / 1e9))));
  for (let time = Math.max(0, Math.ceil(state.x0 / step) * step); time <= state.x1; time += step) {
    tick(toX(time), `${(time / 1e9).toFixed(digits)}s`);
  }
}

const verdictOf = (test) => (test.verdict ? test.verdict.is : "open");

function drawRibbon() {
  pen.fillStyle = ink.bg;
  pen.fillRect(0, RULER, size.w, RIBBON);
  pen.fillStyle = ink.line;
  pen.fillRect(0, RULER + RIBBON - 1, size.w, 1);
  pen.font = sans(11, 600);
  pen.textBaseline = "middle";
  const letter = pen.measureText("abcdeghinorstuw ").width / 15;
  for (const test of data.tests) {
    const [a, b] = testSpan(test).map(toX);
    const left = Math.max(a, 0), right = Math.min(Math.max(b, a + 2), size.w);
    if (right < 0 || left > size.w) continue;
    const is = verdictOf(test);
    const [back, fore] = is === "passed" ? [ink["good-soft"], ink.good] : is === "failed" ? [ink["bad-soft"], ink.bad] : [ink["care-soft"], ink.care];
    pen.globalAlpha = state.test !== null && state.test !== test.index ? 0.35 : 1;
    pen.fillStyle = back;
    pen.beginPath();
    pen.roundRect(left + 1, RULER + 3, Math.max(1, right - left - 2), RIBBON - 7, 4);
    pen.fill();
    label(test.name, left + 7, RULER + RIBBON / 2 - 0.5, right - left - 12, fore, letter);
    pen.globalAlpha = 1;
  }
}

/// What lies under a point: an exchange, an event, a process, or a test.
function under(x, y) {
  if (y < RULER) return null;
  if (y < RULER + RIBBON) {
    const test = data.tests.find((one) => { const [a, b] = testSpan(one).map(toX); return x >= a && x <= Math.max(b, a + 3); });
    return test ? { test } : null;
  }
  const inner = y - (RULER + RIBBON) + state.top;
  const part = layout.find((one) => one.lane && inner >= one.y && inner < one.y + one.tall);
  if (!part) return null;
  const near = part.lane.marks.find((mark) => Math.abs(toX(state.even ? mark.e : mark.t) - x) <= 5 && inner - part.y < ROW + PAD);
  if (near) return { thing: near.event };
  const row = Math.floor((inner - part.y - PAD / 2) / ROW);
  let best = null;
  for (const one of part.lane.spans) {
    if (one.row !== row) continue;
    const [a, b] = edges(one);
    const x0 = toX(a), x1 = Math.max(toX(b), x0 + 3);
    if (x >= x0 - 2 && x <= x1 + 2 && (!best || x0 >= best.x0)) best = { thing: one.thing, x0 };
  }
  return best;
}

function zoom(factor, at) {
  const wide = (state.x1 - state.x0) * factor;
  const share = (at - state.x0) / (state.x1 - state.x0);
  state.x0 = at - wide * share;
  state.x1 = state.x0 + wide;
  redraw();
}
function move(by) {
  const step = by * (state.x1 - state.x0);
  state.x0 += step;
  state.x1 += step;
  redraw();
}
function show(a, b, margin) {
  const wide = Math.max(b - a, state.even ? 3 : 1000);
  const middle = (a + b) / 2;
  state.x0 = middle - wide * (0.5 + margin);
  state.x1 = middle + wide * (0.5 + margin);
  redraw();
}
function fit() {
  const whole = width();
  show(0, whole, 0.01);
}
/// Moves the view as little as needed to have an exchange in it.
function reveal(one) {
  const parts = one.isEvent ? [] : one.spans;
  const mark = one.isEvent ? lanes.flatMap((where) => where.marks).find((found) => found.event === one) : null;
  const [a, b] = parts.length ? edges(parts[0]) : mark ? (state.even ? [mark.e, mark.e] : [mark.t, mark.t]) : [0, 0];
  const wide = state.x1 - state.x0;
  if (b < state.x0 + wide * 0.05 || a > state.x1 - wide * 0.05) {
    const middle = (a + Math.min(b, a + wide)) / 2;
    state.x0 = middle - wide / 2;
    state.x1 = middle + wide / 2;
  }
  const lane = parts.length ? parts[1].lane : mark && mark.lane;
  const room = size.h - RULER - RIBBON;
  if (lane && lane.y !== undefined && (lane.y < state.top || lane.y + lane.tall > state.top + room)) {
    state.top = lane.y - room / 2;
  }
  redraw();
}
