// One sample: its picture with overlays, everything that its record says, and the questions about it.

import { byId, counted, el, fault, initial, number, words } from "./dom.js";
import { KINDS, coloursOf, drawAnnotations, drawPrompts, drawTargets } from "./overlay.js";
import { hidden, labelsTold, paint, picture, questions, record, untold } from "./pictures.js";
import { questionList } from "./questions.js";

const APART = new Set(["labels", "annotations", "texts", "size_hw_px"]);
const MANY = 60;
const ZOOMS = { Fit: 0, "100 %": 1, "200 %": 2, "400 %": 4 };
const LEAST_PX = 512;

/** Fill and open the dialog; `go(row)` opens another of the rows `near`. */
export async function show(dialog, { row, key, near, about, index, overlays, go }) {
  const [told, asked] = await Promise.all([record(row), questions(row)]);
  const rank = new Map(index.words.label.map((label, code) => [label, code]));
  const look = { row, told, overlays, colours: coloursOf(told, rank), only: null, question: null, answer: false, zoom: 0 };
  const heading = el("h2", { id: "sample-heading", tabindex: -1 }, key);
  const close = el("button", { type: "button", class: "close", "aria-label": "Close", on: { click: () => dialog.close() } }, "×");
  const facts = labelsTold(row) ? [
    [asked.length ? `Questions (${number(asked.length)})` : "Questions", untold(row) ? el("p", { class: "withheld large" }, untold(row)) : questionList(asked, (question, answer) => change(look, { question, answer, only: null })), asked.length > 0 || untold(row) !== ""],
    [`Labels (${number(told.labels.length)})`, labels(told), true],
    [`Annotations (${number(told.annotations.length)})`, annotations(look), false],
    [`Texts (${number(told.texts.length)})`, texts(told), told.texts.length > 0],
    ["Record", definitions(told, APART), !asked.length],
  ] : [
    ["Labels, annotations and questions", el("p", { class: "withheld large" }, untold(row)), true],
    ["Record", definitions(told, APART), true],
  ];
  const sections = facts.map(([title, body, open]) => el("details", { class: "fact", open }, el("summary", {}, el("h3", {}, title)), body));
  const size = el("p", { class: "faint" }, `${told.modality}${told.modality_detail ? ` (${told.modality_detail})` : ""} · ${words(told.area)} · ${words(told.task)} · ${told.size_hw_px[1]} × ${told.size_hw_px[0]} px · ${told.source} · ${told.split} · ${told.licence}`);
  const view = el("section", { class: "view", "aria-label": "Picture" }, switches(look), frame(look, about), legend(look));
  const body = el("div", { class: "facts" }, sections);
  dialog.replaceChildren(el("header", {}, el("div", {}, heading, size), neighbours(near, row, go), close), el("div", { class: "split" }, view, body));
  if (!dialog.open) dialog.showModal();
  heading.focus();
  await draw(look).catch(fault);
  dialog.dataset.row = row;
}

/** Buttons to the samples before and after; the arrow keys do the same on them. */
function neighbours(near, row, go) {
  const at = near.indexOf(row);
  const step = async (by) => {
    const to = near[at + by];
    if (to === undefined) return;
    await go(to);
    const buttons = [...byId("sample").querySelectorAll(".neighbours button")];
    (buttons[by > 0 ? 1 : 0].disabled ? buttons[by > 0 ? 0 : 1] : buttons[by > 0 ? 1 : 0]).focus();
  };
  const key = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) event.preventDefault();
    if (by) step(by);
  };
  const button = (text, by) => el("button", { type: "button", disabled: near[at + by] === undefined, on: { click: () => step(by) } }, text);
  return el("div", { class: "neighbours", role: "group", "aria-label": "Samples of this selection", on: { keydown: key } }, button("Previous", -1), button("Next", 1));
}

function switches(look) {
  const there = new Set(look.told.annotations.map((one) => one.granularity));
  const boxes = KINDS.filter((kind) => there.has(kind)).map((kind) => {
    const box = el("input", { type: "checkbox", checked: look.overlays.has(kind), on: { change: (event) => {
      look.overlays = new Set(look.overlays);
      look.overlays[event.target.checked ? "add" : "delete"](kind);
      change(look, { question: null, only: null });
    } } });
    return el("label", {}, box, initial(kind === "box" ? "boxes" : `${kind}s`));
  });
  const zooms = Object.entries(ZOOMS).map(([text, zoom]) => el("button", { type: "button", class: "plain", "aria-pressed": String(zoom === look.zoom), on: { click: (event) => {
    for (const one of event.target.parentElement.children) one.setAttribute("aria-pressed", String(one === event.target));
    change(look, { zoom });
  } } }, text));
  return el("div", { class: "toolbar" }, boxes.length ? el("fieldset", { class: "switches" }, el("legend", {}, "Draw"), boxes) : null, el("div", { role: "group", "aria-label": "Size", class: "zooms" }, zooms));
}

function frame(look, about) {
  const reason = hidden(look.row);
  if (reason) return el("p", { class: "withheld large" }, reason);
  look.canvas = el("canvas", { role: "img", width: 1, height: 1 });
  const small = about.pictures.images ? null : el("p", { class: "faint" }, "Only the thumbnail was written to this page.");
  look.scroll = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Picture, scrollable" }, look.canvas);
  return el("div", {}, look.scroll, small);
}

function legend(look) {
  const entries = [...look.colours].map(([label, colour]) => {
    const count = look.told.annotations.filter((one) => one.label === label).length;
    const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.backgroundColor = colour;
    return el("li", {}, swatch, label, " ", el("span", { class: "count" }, number(count)));
  });
  look.status = el("p", { role: "status", class: "faint" });
  return el("div", {}, entries.length ? el("ul", { class: "legend", "aria-label": "Colours of labels" }, entries) : null, look.status);
}

function change(look, what) {
  Object.assign(look, what);
  draw(look).catch(fault);
}

async function draw(look) {
  const { canvas, told, row } = look;
  if (!canvas) return;
  const seen = await picture(row);
  const [height, width] = told.size_hw_px;
  const scale = look.zoom || Math.max(1, Math.ceil(LEAST_PX / Math.max(width, height)));
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.classList.toggle("fit", look.zoom === 0);
  paint(canvas, seen);
  canvas.setAttribute("aria-label", describe(look));
  look.status.textContent = said(look);
  if (look.question) {
    drawPrompts(canvas, told, look.question.prompts);
    if (look.answer) drawTargets(canvas, told, look.question.targets);
  } else drawAnnotations(canvas, told, { shown: look.overlays, colours: look.colours, only: look.only });
  canvas.dataset.drawn = look.question?.id ?? look.only ?? [...look.overlays].join(" ");
}

function describe({ told, row }) {
  if (!labelsTold(row)) return `${told.modality} of ${words(told.area)}; labels not told`;
  const present = told.labels.filter((one) => one.state === "present").map((one) => one.label);
  const acquired = [told.acquisition.plane, told.acquisition.view, told.acquisition.contrast, told.acquisition.stain].filter(Boolean);
  return `${told.modality} of ${words(told.area)}${acquired.length ? `, ${acquired.join(", ")}` : ""}; ${present.length ? `present: ${present.join(", ")}` : "nothing labelled present"}`;
}

function said({ told, row, overlays, only, question, answer }) {
  if (question) {
    const parts = [];
    if (question.prompts.length) parts.push(`${counted(question.prompts.length, "prompt")} of the open question`);
    if (answer && question.targets.length) parts.push(`the answer, ${counted(question.targets.length, "annotation")}`);
    return parts.length ? `Drawn: ${parts.join(", and ")}.` : "Nothing is drawn: the open question points at nothing.";
  }
  if (only) return `Drawn: annotation ${only} alone.`;
  if (!labelsTold(row)) return "";
  const count = told.annotations.filter((one) => overlays.has(one.granularity)).length;
  return `Drawn: ${counted(count, "annotation")}.`;
}

function labels(told) {
  if (!told.labels.length) return el("p", {}, "Nothing is labelled.");
  const row = (one) => [one.laterality ? `${one.label} (${one.laterality})` : one.label, words(one.state), one.value === null ? "" : `${one.value} ${one.unit ?? ""}`, words(one.area), words(one.task), one.clinical_task, one.departments.join(", "), one.label_id];
  const order = { present: 0, uncertain: 1, absent: 2, not_assessed: 3 };
  const sorted = [...told.labels].sort((a, b) => order[a.state] - order[b.state]);
  return table("Labels", ["Label", "State", "Value", "Area", "Task", "Clinical task", "Departments", "Id"], sorted.map(row));
}

function annotations(look) {
  const some = look.told.annotations.slice(0, MANY);
  if (!some.length) return el("p", {}, "Nothing is marked.");
  const button = (one) => el("button", { type: "button", class: "plain", "aria-pressed": "false", "aria-label": `Draw ${one.id} alone`, on: { click: (event) => {
    const on = event.target.getAttribute("aria-pressed") !== "true";
    for (const other of event.target.closest("table").querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", "false");
    event.target.setAttribute("aria-pressed", String(on));
    change(look, { only: on ? one.id : null, question: null });
  } } }, one.id);
  const box = (one) => (one.box_xyxy_px ?? one.points.flat()).map((value) => Math.round(value * 10) / 10).join(", ");
  const row = (one) => [button(one), one.label, one.granularity, box(one), one.area_px === null ? "" : number(Math.round(one.area_px)), one.observer ?? "", one.origin, one.tool ?? ""];
  const more = look.told.annotations.length > MANY ? el("p", { class: "faint" }, `The first ${MANY} are listed; all are drawn.`) : null;
  return el("div", {}, table("Annotations", ["Draw", "Label", "Form", "Box or points, px", "Area, px", "Observer", "Origin", "Tool"], some.map(row)), more);
}

function texts(told) {
  if (!told.texts.length) return el("p", {}, "No text came with it.");
  return el("div", {}, told.texts.map((one) => el("figure", {}, el("figcaption", { class: "faint" }, `${words(one.kind)}, ${one.origin}`), el("blockquote", { lang: one.language }, one.text))));
}

/** A record's fields as nested lists of terms. */
function definitions(value, but = new Set()) {
  const entries = Object.entries(value).filter(([name]) => !but.has(name));
  const shown = (one) => {
    if (one === null || one === "" || (Array.isArray(one) && !one.length)) return el("span", { class: "faint" }, "–");
    if (Array.isArray(one)) return one.map((part) => (typeof part === "object" ? JSON.stringify(part) : String(part))).join(", ");
    return typeof one === "object" ? definitions(one) : String(one);
  };
  return el("dl", {}, entries.map(([name, one]) => el("div", { class: typeof one === "object" && one !== null && !Array.isArray(one) ? "nested" : null }, el("dt", {}, words(name)), el("dd", {}, shown(one)))));
}

export function table(caption, heads, rows) {
  const head = el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text))));
  const body = el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell) => el("td", {}, cell)))));
  return el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": caption }, el("table", {}, el("caption", { class: "unseen" }, caption), head, body));
}
