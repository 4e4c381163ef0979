// What people do with the page.

const filterBox = document.getElementById("filter"), testBox = document.getElementById("test"), keys = document.getElementById("keys");

function choose(one) {
  if (one === undefined) return;
  state.chosen = one;
  history.replaceState(null, "", one && !one.isEvent ? `#${one.seq}` : " ");
  drawSide();
  if (one) {
    reveal(one);
    scrollTo(one);
  }
  drawList();
  redraw();
}
function zoomTo(one) {
  if (one.isEvent) return reveal(one);
  const [a, b] = edges(one.spans[0]);
  show(a, b, state.even ? 1.5 : 0.5);
}
function again() {
  refilter();
  drawList();
  redraw();
}
function toggleLane(where, more) {
  const was = state.only.has(where.key), alone = was && state.only.size === 1;
  if (!more) state.only.clear();
  if (more && was) state.only.delete(where.key);
  else if (!alone) state.only.add(where.key);
  again();
}
function chooseTest(index) {
  state.test = index;
  testBox.value = index === null ? "" : `${index}`;
  arrange();
  again();
  scroll.scrollTop = 0;
  drawList();
  if (index === null) fit();
  else { const [a, b] = testSpan(data.tests[index]); show(a, b, 0.03); }
}
function setScale(even) {
  if (state.even !== even) {
    // The same part of the run stays in view.
    const [a, b] = [state.x0, state.x1];
    state.even = even;
    const other = even ? (time, after) => scale.stepOfTime(Math.max(0, time), after) : (step) => scale.timeOfStep(Math.max(0, Math.min(step, scale.end)));
    state.x0 = other(a, false);
    state.x1 = Math.max(other(b, true), state.x0 + (even ? 3 : 1000));
  }
  document.getElementById("even").setAttribute("aria-pressed", `${even}`);
  document.getElementById("linear").setAttribute("aria-pressed", `${!even}`);
  redraw();
}

// --- Light and dark: as the system has it, until somebody says otherwise. A page from a file may have no storage.
const system = matchMedia("(prefers-color-scheme: dark)");
function stored(value) {
  try {
    if (value !== undefined) localStorage.setItem("theme", value);
    return localStorage.getItem("theme");
  } catch { return null; }
}
let picked = stored();
function applyTheme() {
  document.documentElement.dataset.theme = picked === "light" || picked === "dark" ? picked : system.matches ? "dark" : "light";
  readColours();
  redraw();
}
function toggleTheme() {
  picked = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  stored(picked);
  applyTheme();
}
system.addEventListener("change", applyTheme);

// --- Mouse.
const point = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const [x] = point(event);
  const lines = event.deltaMode === 1 ? 16 : 1;
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(((event.deltaX || event.deltaY) * lines) / size.w);
  else zoom(Math.exp(event.deltaY * lines * 0.0022), fromX(x));
}, { passive: false });
labels.addEventListener("wheel", (event) => { event.preventDefault(); state.top += event.deltaY; redraw(); }, { passive: false });

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  drag = { x: event.clientX, y: event.clientY, x0: state.x0, x1: state.x1, top: state.top, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = point(event);
  if (drag) {
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved = drag.moved || Math.abs(dx) + Math.abs(dy) > 4;
    if (!drag.moved) return;
    canvas.classList.add("drag");
    const by = (dx / size.w) * (drag.x1 - drag.x0);
    [state.x0, state.x1, state.top] = [drag.x0 - by, drag.x1 - by, drag.top - dy];
    tip.hidden = true;
    redraw();
    return;
  }
  hover(under(x, y), x, y);
});
canvas.addEventListener("pointerup", (event) => {
  const clicked = drag && !drag.moved;
  drag = null;
  canvas.classList.remove("drag");
  if (!clicked) return;
  const found = under(...point(event));
  if (!found) choose(null);
  else if (found.test) chooseTest(state.test === found.test.index ? null : found.test.index);
  else if (found.thing.isEvent || found.thing.seq !== undefined) choose(found.thing);
  else if (found.thing.exchange) choose(found.thing.exchange);
});
canvas.addEventListener("dblclick", (event) => {
  const found = under(...point(event));
  if (found && found.thing && found.thing.spans) zoomTo(found.thing);
});
canvas.addEventListener("pointerleave", () => hover(null));

function hover(found, x, y) {
  const thing = found ? found.thing || null : null;
  canvas.classList.toggle("over", Boolean(found));
  if (thing !== state.hover) {
    state.hover = thing;
    redraw();
  }
  tip.hidden = !found;
  if (!found) return;
  tip.replaceChildren();
  const lines = found.test ? [found.test.name, `${verdictOf(found.test)}, ${duration(found.test.over - found.test.began)}`]
    : thing.isEvent ? [`${thing.what}: ${thing.outcome}`, `at ${clock(thing.at)}s`]
      : thing.seq !== undefined ? [thing.what, `→ ${thing.outcome}`, `#${thing.seq} ${thing.on}, asked by ${thing.task}, took ${took(thing)} from ${clock(thing.began)}s`]
        : [`pid ${thing.pid} ${thing.command || thing.name}`, `${thing.status || "runs"}, ${duration(thing.ended - thing.began)} from ${clock(thing.began)}s`];
  lines.forEach((line, index) => tip.append(element(index === lines.length - 1 ? "div" : "code", index === lines.length - 1 ? "dim" : "", line)));
  const left = labels.offsetWidth + x + 14, box = document.getElementById("chart");
  tip.style.left = `${Math.max(4, Math.min(left, box.clientWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${y + 18 + tip.offsetHeight > box.clientHeight ? Math.max(2, y - tip.offsetHeight - 12) : y + 18}px`;
}

// --- The bar between chart and list.
const split = document.getElementById("split");
split.addEventListener("pointerdown", (event) => {
  split.setPointerCapture(event.pointerId);
  const chart = document.getElementById("chart"), from = event.clientY, tall = chart.offsetHeight;
  const follow = (at) => { chart.style.height = `${Math.max(90, tall + at.clientY - from)}px`; };
  split.addEventListener("pointermove", follow);
  split.addEventListener("pointerup", () => split.removeEventListener("pointermove", follow), { once: true });
});

// --- Keys.
function step(by) {
  const list = shown.exchanges;
  if (!list.length) return;
  const at = list.indexOf(state.chosen);
  choose(list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + by))]);
}
function stepTest(by) {
  if (!data.tests.length) return;
  const at = state.test === null ? (by > 0 ? -1 : data.tests.length) : state.test;
  chooseTest(Math.max(0, Math.min(data.tests.length - 1, at + by)));
}
const commands = {
  ArrowLeft: () => move(-0.2), a: () => move(-0.2), ArrowRight: () => move(0.2), d: () => move(0.2),
  "+": () => zoom(0.7, (state.x0 + state.x1) / 2), "=": () => zoom(0.7, (state.x0 + state.x1) / 2), w: () => zoom(0.7, (state.x0 + state.x1) / 2),
  "-": () => zoom(1.4, (state.x0 + state.x1) / 2), 0: fit, s: () => setScale(!state.even), t: toggleTheme,
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), n: () => stepTest(1), p: () => stepTest(-1),
  Enter: () => state.chosen && zoomTo(state.chosen), "/": () => filterBox.focus(), "?": () => keys.showModal(),
  Escape: () => {
    if (state.chosen) return choose(null);
    state.only.clear();
    state.text = filterBox.value = "";
    return chooseTest(null);
  },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (event.target === filterBox) {
    if (event.key === "Escape") { filterBox.value = ""; filterBox.dispatchEvent(new Event("input")); filterBox.blur(); }
    if (event.key === "Enter") { filterBox.blur(); step(1); }
    return;
  }
  if (event.target.tagName === "SELECT" || (event.target.tagName === "BUTTON" && event.key === "Enter")) return;
  const command = commands[event.key];
  if (command) {
    event.preventDefault();
    command();
  }
});
filterBox.addEventListener("input", () => { state.text = filterBox.value.trim().toLowerCase(); scroll.scrollTop = 0; again(); });
testBox.addEventListener("change", () => chooseTest(testBox.value === "" ? null : Number(testBox.value)));
scroll.addEventListener("scroll", drawList);
document.getElementById("even").addEventListener("click", () => setScale(true));
document.getElementById("linear").addEventListener("click", () => setScale(false));
document.getElementById("fit").addEventListener("click", fit);
document.getElementById("theme").addEventListener("click", toggleTheme);
document.getElementById("help").addEventListener("click", () => keys.showModal());
const resized = new ResizeObserver(() => { draw(); drawList(); });
resized.observe(canvas);
resized.observe(scroll);

// --- Begin.
testBox.append(new Option(data.tests.length === 1 ? "1 test" : `All ${data.tests.length} tests`, ""));
data.tests.forEach((test, index) => testBox.append(new Option(`${verdictOf(test) === "failed" ? "✗ " : ""}${test.name}`, `${index}`)));
drawFacts();
arrange();
refilter();
applyTheme();
setScale(true);
fit();
drawSide();
drawList();
draw();
const failing = data.tests.find((test) => verdictOf(test) === "failed");
if (failing && data.tests.length > 1) { const [a, b] = testSpan(failing); show(a, b, 0.05); scrollTo(shown.items.find((item) => item.heading && item.test === failing.index)); }
// `page.html#12` is a link to exchange 12.
const linked = () => { const one = data.exchanges[Number(location.hash.slice(1) || NaN)]; if (one) { choose(one); zoomTo(one); } };
addEventListener("hashchange", linked);
linked();
document.documentElement.dataset.ready = `${data.exchanges.length}`;
