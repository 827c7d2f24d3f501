// The page of sts serve. It asks the API of this machine and nothing else.
"use strict";

const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const FIELDS = ["text", "meter", "displayed", "sold_at", "quantity", "at"];

let texts = {};
let english = {};
// What is shown now, to be written anew in another language.
let shown = null;
let meterStatus = null;
let lastReplay = null;
let latest = 0;

// --- words ---

function filled(template, args) {
  return template.replace(/\{(\w+)\}/g, (_, name) => (args && name in args ? String(args[name]) : ""));
}

function t(name, args) {
  return filled(texts[name] || english[name] || name, args);
}

// A sentence of the server in the language of the page, or in English where there is none.
function say(said) {
  if (said.id && texts[said.id]) return filled(texts[said.id], said.args);
  return said.text;
}

function title(cause) {
  return t(`cause.${cause}.title`);
}

async function speak(language) {
  if (!Object.keys(english).length) english = await ask("GET", "/api/v1/texts/en");
  texts = language === "en" ? english : await ask("GET", `/api/v1/texts/${language}`);
  document.documentElement.lang = language;
  document.title = t("page.title");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  byId("review").textContent = texts.review || "";
  byId("review").hidden = !texts.review;
  keypad();
  if (shown) showAnswers();
  if (meterStatus) showHistory();
  if (lastReplay) showReplay();
}

// --- making elements ---

function make(parent, name, attributes = {}, ...content) {
  const isSvg = name === "svg" || parent instanceof SVGElement;
  const element = isSvg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...content);
  if (parent) parent.append(element);
  return element;
}

function groups(digits) {
  return digits.match(/.{1,4}/g) || [];
}

// --- asking ---

class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || String(status));
    this.status = status;
    this.field = problem.field;
  }
}

async function ask(method, path, body) {
  const options = { method, credentials: "same-origin", headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused(0, { detail: t("page.gone") });
  }
  if (answer.status === 401) throw new Refused(401, { detail: t("page.locked_out") });
  const value = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Refused(answer.status, value);
  return value;
}

async function explain() {
  const question = {};
  for (const name of FIELDS) {
    const value = byId(name).value.trim();
    byId(name).removeAttribute("aria-invalid");
    if (value) question[name] = value;
  }
  const number = ++latest;
  byId("problem").hidden = true;
  byId("status").textContent = t("page.waiting");
  try {
    const answer = await ask("POST", "/api/v1/explain", { text: "", ...question });
    if (number !== latest) return;
    shown = answer;
    showAnswers();
    await askHistory(answer, number);
  } catch (error) {
    if (number === latest) refuse(error);
  }
}

function refuse(error) {
  const problem = byId("problem");
  const own = error.status === 0 || error.status === 401;
  problem.textContent = own ? error.message : t("page.problem", { problem: error.message });
  problem.hidden = false;
  byId("status").textContent = "";
  const field = FIELDS.includes(error.field) ? byId(error.field) : null;
  if (field) {
    const details = field.closest("details");
    if (details) details.open = true;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}

async function askHistory(answer, number) {
  meterStatus = null;
  byId("history").replaceChildren();
  if (!answer.meter) return;
  try {
    const path = `/api/v1/meters/${answer.meter.pan}?at=${encodeURIComponent(answer.at)}`;
    const answered = await ask("GET", path);
    if (number !== latest) return;
    meterStatus = answered;
    showHistory();
  } catch {
    // A meter without records has no history.
  }
}

// --- the answer ---

function showAnswers() {
  const all = byId("answer");
  all.replaceChildren();
  for (const note of shown.notes) make(all, "p", { class: "hint", lang: "en" }, note);
  shown.answers.forEach((answer, place) => showAnswer(all, answer, place));
  const heads = shown.answers.map((answer) => `${verdict(answer)[1]}. ${say(answer.explanation.customer)}`);
  byId("status").textContent = "";
  make(byId("status"), "span", { class: "visually" }, heads.join(" "));
}

function verdict(answer) {
  const taken = answer.explanation.taken;
  if (taken === true && !answer.explanation.why) return ["yes", t("page.yes")];
  if (taken === false) return ["no", t("page.no")];
  return ["open", t("page.open")];
}

const ICONS = { yes: "M5 12.5l4.5 4.5L19 7.5", no: "M6 6l12 12M18 6L6 18", open: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.5" };

function showAnswer(all, answer, place) {
  const of = answer.explanation;
  const card = make(all, "article");
  const about = make(card, "p", { class: "about" });
  if (shown.answers.length > 1) about.append(t("page.answer_of", { number: place + 1, count: shown.answers.length }), ": ");
  make(about, "b", {}, answer.shown);
  const [kind, word] = verdict(answer);
  const happened = of.happened.map(say);
  const head = make(card, "p", { class: `verdict ${kind}` });
  const icon = make(head, "svg", { viewBox: "0 0 24 24", role: "img", "aria-label": word });
  make(icon, "circle", { cx: 12, cy: 12, r: 11, fill: "none", stroke: "currentColor", "stroke-width": 1.5 });
  make(icon, "path", { d: ICONS[kind], fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" });
  const main = of.why ? say(of.why.sentence) : "";
  make(head, "span", {}, [happened[0], main].filter(Boolean).join(" "));

  make(card, "h3", {}, t("page.customer"));
  make(card, "blockquote", {}, say(of.customer));
  make(card, "h3", {}, t("page.todo"));
  for (const line of of.todo) make(card, "p", { class: "do" }, say(line));
  if (of.readings) showReadings(card, of.readings);
  if (of.candidates.length) showCandidates(card, of.candidates);
  if (of.wanted) make(card, "p", { class: "do" }, say(of.wanted));
  if (of.why) showWhy(card, of.why);
  if (happened.length > 1 || of.result) {
    make(card, "h3", {}, t("page.happened"));
    const lines = of.taken === null ? happened : [happened.slice(0, 2).join(" "), ...happened.slice(2)];
    for (const line of lines) make(card, "p", {}, line);
  }
  if (answer.anatomy) showAnatomy(card, answer.anatomy, answer);
  showDetails(card, answer);
}

function showWhy(card, why) {
  make(card, "h3", {}, t("page.why"));
  const also = why.also.map((other) => `${say(other.title)} (${other.odds})`).join(", ");
  make(card, "p", {}, say(why.sure) + (also ? `; ${t("sure.also", { causes: also })}.` : "."));
  const list = make(card, "ul");
  for (const point of why.points) make(list, "li", point.id ? {} : { lang: "en" }, say(point));
  if (!why.points.length) list.remove();
}

function showCandidates(card, candidates) {
  make(card, "p", {}, t("readings.candidates"));
  const list = make(card, "ul");
  for (const other of candidates) {
    const what = other.token ? groups(other.token).join(" ") : other.what;
    make(list, "li", {}, `${other.odds}  ${say(other.title)}${what ? `: ${what}` : ""}`);
  }
}

function showDetails(card, answer) {
  const of = answer.explanation;
  const words = [];
  if (of.result) words.push(`result ${of.result}`);
  if (of.why) words.push(`cause ${of.why.cause}`);
  if (of.action) words.push(`action ${of.action}`);
  if (!words.length) return;
  const details = make(card, "details");
  make(details, "summary", {}, t("page.details"));
  for (const line of words) make(details, "p", { class: "english", lang: "en" }, line);
  if (of.why && of.why.trials) make(details, "p", { class: "english" }, t("page.tried", of.why));
}

// --- digits, grouped as on a keypad ---

function keypad() {
  const text = byId("text").value;
  const digits = text.replace(/\D/g, "");
  const bare = digits && /^[\d\s-]+$/.test(text.trim());
  byId("keypad").hidden = !bare;
  byId("keypad").replaceChildren();
  make(byId("keypad"), "span", {}, groups(digits).join(" "));
  make(byId("keypad"), "span", {}, t("page.digits", { count: digits.length }));
}

function showReadings(card, readings) {
  make(card, "h3", {}, t("page.compare"));
  if (readings.intro) make(card, "p", {}, say(readings.intro));
  const several = readings.fitting.length > 1;
  const first = readings.fitting[0];
  row(card, t("page.keyed"), readings.keyed, several ? [] : first.marks.keyed, "off");
  for (const reading of readings.fitting) {
    const name = several ? reading.odds : t(reading.is_proven ? "page.right" : "page.maybe");
    const sameLength = reading.token.length === readings.keyed.length;
    const places = sameLength ? reading.marks.keyed : reading.marks.right;
    row(card, several && reading.says ? `${name} · ${reading.says}` : name, reading.token, places, "fit");
    for (const line of differences(readings.keyed, reading, name)) make(card, "p", {}, line);
  }
}

function row(card, name, digits, places, kind) {
  const line = make(card, "div", { class: "groups" });
  make(line, "span", { class: "name" }, name);
  groups(digits).forEach((group, place) => {
    const off = [...group].map((_, at) => places.includes(place * 4 + at));
    const box = make(line, "span", { class: `group${off.includes(true) ? ` ${kind}` : ""}` });
    [...group].forEach((digit, at) => (off[at] ? make(box, "mark", {}, digit) : box.append(digit)));
    make(box, "small", {}, String(place + 1));
  });
}

// The same in words: marks and colours are for the eyes alone.
function differences(keyed, reading, name) {
  const { marks, token } = reading;
  const inGroup = (place) => Math.floor(place / 4) + 1;
  if (keyed.length === token.length) {
    const [left, right] = [groups(keyed), groups(token)];
    return left.flatMap((group, place) =>
      group === right[place] ? [] : [t("page.group_differs", { number: place + 1, keyed: group, right: right[place], name })]);
  }
  const places = keyed.length > token.length ? marks.keyed : marks.right;
  if (!places.length) return [];
  const digits = places.map((place) => (keyed.length > token.length ? keyed : token)[place]).join("");
  const id = keyed.length > token.length ? "page.too_many" : "page.left_out";
  return [t(id, { digits, number: inGroup(places[0]) })];
}

// --- the token as a picture ---

function showAnatomy(card, anatomy, answer) {
  make(card, "h3", {}, t("page.anatomy"));
  const inside = anatomy.opened;
  const args = { class: anatomy.class, key: inside && (inside.key === "meter" ? t("page.key_of_meter") : inside.key) };
  const id = inside ? (anatomy.is_encrypted ? "page.anatomy_open" : "page.anatomy_plain") : "page.anatomy_sealed";
  const whose = anatomy.token === answer.entered.replace(/\D/g, "") ? "" : `${groups(anatomy.token).join(" ")}: `;
  const summary = whose + t(id, args);
  const figure = make(card, "figure");
  make(figure, "figcaption", { class: "hint" }, summary);
  const fields = inside ? inside.fields : [{ name: "", bits: 64, value: "" }];
  const [cell, row] = [20, 44];
  const svg = make(figure, "svg", { viewBox: `0 0 ${cell * 16 + 2} ${row * 5 - 4}`, width: cell * 16 * 1.5, role: "img", "aria-label": summary });
  const box = (x, y, bit, kind) => {
    make(svg, "rect", { x: x + 1, y, width: cell, height: 22, class: `cell ${kind}` });
    make(svg, "text", { x: x + 1 + cell / 2, y: y + 15, "text-anchor": "middle", class: "bit" }, bit);
  };
  const label = (x, y, text) => make(svg, "text", { x: x + 3, y: y + 34, class: "dim" }, text);
  const bits = inside ? inside.block : anatomy.block;
  [...anatomy.class.toString(2).padStart(2, "0")].forEach((bit, at) => box(at * cell, 0, bit, "f7"));
  label(0, 0, t("page.class"));
  let at = 0;
  fields.forEach((field, number) => {
    const end = at + field.bits;
    // The name stands under the longest run of its field within a row.
    let best = { length: 0 };
    for (let from = at; from < end; ) {
      const to = Math.min(end, (Math.floor(from / 16) + 1) * 16);
      if (to - from > best.length) best = { from, length: to - from };
      from = to;
    }
    for (; at < end; at++) box((at % 16) * cell, (Math.floor(at / 16) + 1) * row, bits[at], inside ? `f${number % 7}` : "f6");
    if (field.name) {
      const room = Math.floor((best.length * cell) / 6.2);
      label((best.from % 16) * cell, (Math.floor(best.from / 16) + 1) * row, field.name.slice(0, Math.max(room, 3)));
    }
  });
  if (!inside) return;
  const table = make(figure, "table");
  const head = make(make(table, "thead"), "tr");
  for (const name of ["field", "bits", "value", "means"]) make(head, "th", { scope: "col" }, t(`page.${name}`));
  const body = make(table, "tbody");
  for (const field of fields) {
    const line = make(body, "tr");
    make(line, "th", { scope: "row", lang: "en" }, field.name);
    make(line, "td", { class: "n" }, String(field.bits));
    make(line, "td", { class: "n" }, field.value || t("page.hidden"));
    make(line, "td", { lang: "en" }, field.means || "");
  }
}

// --- the meter's history as a picture ---

const LANES = ["taken", "refused", "code", "event"];

function shape(svg, kind, x, y) {
  const drawn = {
    taken: ["circle", { cx: x, cy: y, r: 5 }],
    refused: ["path", { d: `M${x - 4.5} ${y - 4.5}l9 9m0 -9l-9 9` }],
    code: ["circle", { cx: x, cy: y, r: 4.5 }],
    key_change: ["path", { d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` }],
    event: ["rect", { x: x - 4, y: y - 4, width: 8, height: 8 }],
    unknown: ["path", { d: `M${x} ${y - 5}l5 9h-10z` }],
  }[kind];
  return make(svg, drawn[0], { ...drawn[1], class: kind });
}

function showHistory() {
  const all = byId("history");
  all.replaceChildren();
  make(all, "h3", {}, t("page.history"));
  make(all, "p", {}, t("page.history_of", meterStatus.meter));
  const rows = meterStatus.timeline;
  if (!rows.length) {
    make(all, "p", { class: "hint" }, t("page.history_none"));
    return;
  }
  if (meterStatus.earlier) make(all, "p", { class: "hint" }, t("page.history_earlier", { count: meterStatus.earlier }));
  chart(all, rows);
  const details = make(all, "details");
  make(details, "summary", {}, t("page.details"));
  const list = make(details, "ol", { class: "history" });
  for (const one of rows) {
    const item = make(list, "li");
    const icon = make(item, "svg", { viewBox: "0 0 20 20", width: 20, height: 20, "aria-hidden": "true" });
    shape(icon, one.kind, 10, 10);
    const words = make(item, "div");
    make(words, "time", { datetime: one.at }, one.at.slice(0, 16).replace("T", " "));
    words.append(` · ${t(`page.kind_${one.kind}`)}${one.cause ? `: ${title(one.cause)}` : ""} `);
    if (one.entered) make(words, "div", { class: "token" }, one.entered);
    if (one.note) make(words, "div", { class: "english", lang: "en" }, one.note);
  }
}

function chart(all, rows) {
  // Drawn in the width that is there, so that letters keep their size.
  const width = Math.max(280, Math.min(640, all.clientWidth));
  const [left, lane] = [Math.min(100, width / 3.2), 26];
  const times = rows.map((one) => Date.parse(one.at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  // Rows of one hour would lie on each other: half of the place goes by order.
  const x = (at) => {
    const byTime = last > first ? (times[at] - first) / (last - first) : 0.5;
    const byOrder = rows.length > 1 ? at / (rows.length - 1) : 0.5;
    return left + 14 + (width - left - 28) * (0.4 * byTime + 0.6 * byOrder);
  };
  const height = LANES.length * lane + 44;
  const counts = ["taken", "refused", "key_change"].map((kind) => `${rows.filter((one) => one.kind === kind).length} ${t(`page.kind_${kind}`)}`);
  const svg = make(make(all, "figure"), "svg", { viewBox: `0 0 ${width} ${height}`, width, role: "img", "aria-label": counts.join(", ") });
  const y = (kind) => {
    const named = { key_change: "code", unknown: "event" }[kind] || kind;
    return LANES.indexOf(named) * lane + 16;
  };
  // Which key revision the meter had, as bands behind.
  let from = 0;
  rows.forEach((one, at) => {
    if (at + 1 < rows.length && rows[at + 1].krn === one.krn) return;
    const [start, end] = [from ? (x(from - 1) + x(from)) / 2 : left, at + 1 < rows.length ? (x(at) + x(at + 1)) / 2 : width];
    if (one.krn !== null) {
      make(svg, "rect", { x: start + 1, y: 0, width: Math.max(end - start - 2, 1), height: height - 22, rx: 4, class: "band" });
      make(svg, "text", { x: (start + end) / 2, y: height - 28, "text-anchor": "middle", class: "dim" },
        end - start > 90 ? t("page.revision", { krn: one.krn }) : String(one.krn));
    }
    from = at + 1;
  });
  for (const kind of LANES) {
    make(svg, "line", { x1: left, x2: width, y1: y(kind), y2: y(kind), class: "rail" });
    make(svg, "text", { x: 0, y: y(kind) + 4 }, t(`page.kind_${kind}`));
  }
  rows.forEach((one, at) => {
    const mark = shape(svg, one.kind, x(at), y(one.kind));
    make(mark, "title", {}, `${one.at.slice(0, 16).replace("T", " ")} ${t(`page.kind_${one.kind}`)}${one.cause ? `: ${title(one.cause)}` : ""}`);
  });
  const day = (at) => rows[at].at.slice(0, 10);
  make(svg, "text", { x: left, y: height - 4, class: "dim" }, day(0));
  make(svg, "text", { x: width, y: height - 4, "text-anchor": "end", class: "dim" }, day(rows.length - 1));
}

// --- replaying a file ---

function showReplay() {
  const state = lastReplay;
  const all = byId("replay");
  const percent = state.bytes ? Math.floor((100 * state.bytes_done) / state.bytes) : 0;
  byId("progress").hidden = state.state !== "running" && state.state !== "sending";
  byId("progress").value = percent;
  all.replaceChildren();
  const id = { sending: "page.replay_sending", running: "page.replay_running", done: "page.replay_done", failed: "page.replay_failed" }[state.state];
  make(all, "p", state.state === "failed" ? { class: "problem" } : {}, t(id, { ...state, percent }));
  if (state.state === "done") {
    const list = make(all, "ul");
    for (const cause of state.causes) make(list, "li", {}, `${title(cause.cause)}: ${cause.refusals}`);
    make(all, "p", {}, make(null, "a", { class: "button", href: `/api/v1/replays/${state.id}/report`, target: "_blank", rel: "noopener" }, t("page.report")));
  }
  for (const note of state.notes || []) make(all, "p", { class: "english", lang: "en" }, note);
}

function send(file) {
  const query = new URLSearchParams({ name: file.name, tz: byId("zone").value });
  return new Promise((done, failed) => {
    // fetch does not tell how much is sent.
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/replays?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      lastReplay = { state: "sending", name: file.name, bytes_done: event.loaded, bytes: event.total };
      showReplay();
    });
    request.addEventListener("load", () => {
      const value = JSON.parse(request.responseText || "{}");
      if (request.status === 202) done(value);
      else failed(new Refused(request.status, value));
    });
    request.addEventListener("error", () => failed(new Refused(0, { detail: t("page.gone") })));
    request.send(file);
  });
}

async function replay(file) {
  const failed = (problem) => {
    lastReplay = { state: "failed", name: file.name, problem };
    showReplay();
  };
  try {
    lastReplay = await send(file);
    showReplay();
    while (lastReplay.state === "running") {
      await new Promise((done) => setTimeout(done, 300));
      lastReplay = await ask("GET", `/api/v1/replays/${lastReplay.id}`);
      showReplay();
    }
  } catch (error) {
    failed(error.message);
  }
}

// --- keys and clicks ---

const form = byId("question");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  explain();
});
form.addEventListener("reset", () => {
  latest++;
  shown = null;
  meterStatus = null;
  byId("answer").replaceChildren();
  byId("history").replaceChildren();
  byId("problem").hidden = true;
  byId("status").textContent = t("page.empty");
  setTimeout(() => { keypad(); byId("text").focus(); });
});
byId("text").addEventListener("input", keypad);
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.code === "KeyN") {
    event.preventDefault();
    form.reset();
  } else if (event.code === "KeyL") {
    event.preventDefault();
    byId("answer").focus();
  }
});
byId("language").addEventListener("change", (event) => {
  try { localStorage.setItem("language", event.target.value); } catch { /* kept for this visit alone */ }
  speak(event.target.value).catch(refuse);
});
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) replay(file);
  event.target.value = "";
});
const drop = byId("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) replay(event.dataTransfer.files[0]);
  });
}

let language = "en";
try { language = localStorage.getItem("language") || "en"; } catch { /* English */ }
if (!["en", "af", "st"].includes(language)) language = "en";
byId("language").value = language;
speak(language).catch(refuse);
