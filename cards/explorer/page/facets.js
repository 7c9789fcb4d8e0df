// The filter panel: for every lexicon the words that occur, with how many samples each would leave.

import { counted, el, initial, number, words } from "./dom.js";

export const TITLES = {
  modality: "Modality",
  modality_detail: "Modality detail",
  area: "Area",
  task: "Task",
  subset: "Subset",
  clinical_task: "Clinical task",
  department: "Department",
  granularity: "Granularity",
  label: "Label",
  state: "State",
  source: "Source",
  split: "Split",
  licence: "Licence",
  suite: "Question suite",
};
const OPEN = new Set(["modality", "label"]);
const FEW = 12;

/** Build the panel; `toggle(field, code)` is called for every choice. Returns a function that shows new counts. */
export function facets(into, index, toggle) {
  const parts = Object.keys(TITLES).map((field) => facet(index, field, toggle)).filter(Boolean);
  into.replaceChildren(...parts.map((part) => part.whole));
  return (counts, chosen) => parts.forEach((part) => part.show(counts[part.field], chosen[part.field] ?? new Set()));
}

function facet(index, field, toggle) {
  const known = index.words[field].map((word, code) => ({ word, code })).filter(({ word }) => word !== null && word !== "");
  if (!known.length) return null;
  const title = TITLES[field];
  const chosenCount = el("span", { class: "faint" });
  const list = el("div", { class: "options" });
  const more = el("button", { type: "button", class: "plain", on: { click: () => { state.all = !state.all; draw(); } } });
  const finder = known.length > FEW ? el("input", { type: "search", "aria-label": `Find among ${title.toLowerCase()}`, placeholder: "Find…", on: { input: draw } }) : null;
  const group = el("fieldset", {}, el("legend", { class: "unseen" }, title), finder, list, more);
  const whole = el("details", { class: "facet", open: OPEN.has(field), on: { toggle: draw } }, el("summary", {}, title, " ", chosenCount), group);
  const state = { all: false, counts: null, chosen: new Set(), order: null };
  const boxes = new Map();

  function option({ word, code }) {
    if (!boxes.has(code)) {
      const box = el("input", { type: "checkbox", on: { change: () => toggle(field, code) } });
      const count = el("span", { class: "count" });
      boxes.set(code, { box, count, line: el("label", {}, box, el("span", { class: "word" }, words(word)), " ", count) });
    }
    return boxes.get(code);
  }

  function draw() {
    if (!state.counts || !whole.open) return;
    const wanted = finder?.value.trim().toLowerCase() ?? "";
    const fits = ({ word, code }) => state.chosen.has(code) || (state.counts[code] && words(word).toLowerCase().includes(wanted));
    const fitting = state.order.filter(fits);
    const shown = state.all || wanted ? fitting : fitting.filter(({ code }, place) => place < FEW || state.chosen.has(code));
    const lines = shown.map((one) => {
      const { box, count, line } = option(one);
      box.checked = state.chosen.has(one.code);
      count.textContent = number(state.counts[one.code]);
      return line;
    });
    arrange(list, lines);
    more.hidden = Boolean(wanted) || fitting.length <= FEW;
    more.textContent = state.all ? "Fewer" : `All ${fitting.length}`;
  }

  function show(counts, chosen) {
    state.order ??= [...known].sort((a, b) => counts[b.code] - counts[a.code] || a.code - b.code);
    Object.assign(state, { counts, chosen });
    chosenCount.textContent = chosen.size ? `(${counted(chosen.size, "filter")})` : "";
    draw();
  }
  return { field, whole, show };
}

/** Make `lines` the children without taking out those that stay, so that the focus stays where it is. */
function arrange(list, lines) {
  for (const child of [...list.children]) if (!lines.includes(child)) child.remove();
  lines.forEach((line, place) => {
    if (list.children[place] !== line) list.insertBefore(line, list.children[place] ?? null);
  });
}

/** Chips of what is chosen, each a button that takes it back. */
export function chips(into, index, chosen, { toggle, clear }) {
  const made = Object.entries(chosen).flatMap(([field, codes]) => [...codes].map((code) => {
    const text = `${TITLES[field]}: ${words(index.words[field][code] ?? "none")}`;
    return el("li", {}, el("button", { type: "button", class: "chip", "aria-label": `Remove filter ${text}`, on: { click: () => toggle(field, code) } }, initial(text), el("span", { "aria-hidden": "true" }, " ×")));
  }));
  if (made.length > 1) made.push(el("li", {}, el("button", { type: "button", class: "plain", on: { click: clear } }, "Clear all")));
  into.replaceChildren(...made);
}
