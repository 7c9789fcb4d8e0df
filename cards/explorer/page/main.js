// The explorer: reads what there is, keeps the place in the address, and tells the views what to show.

import { byId, counted, el, fault, initial, number } from "./dom.js";
import { chips, facets } from "./facets.js";
import { LEVELS, grown, inTurns, prepared, search } from "./filter.js";
import { Grid, PER_PAGE } from "./grid.js";
import { KINDS } from "./overlay.js";
import { columns, json, remembered } from "./pack.js";
import { know } from "./pictures.js";
import * as place from "./place.js";

const keys = remembered(() => json("data/keys.pack"), 1);
const state = { view: "samples", chosen: {}, page: 0, order: "turns", sample: null, overlays: new Set() };
let about;
let index;
let grid;
let showFacets;
let found;
let order;

async function start() {
  [about, index] = await Promise.all([json("data/release.json"), columns("data/index.pack").then(prepared)]);
  know(about, index);
  byId("title").textContent = about.name;
  document.title = `${about.name} · MedLoom explorer`;
  byId("counts").textContent = [counted(about.samples, "sample"), counted(about.sources.length, "source"), ...about.suites.map(({ name, questions }) => `${name} ${counted(questions, "question")}`)].join(" · ");
  byId("notice").textContent = about.notice;
  byId("notice").hidden = !about.notice;
  if (matchMedia("(max-width: 50rem)").matches) byId("panel").open = false;
  const rank = new Map(index.words.label.map((label, code) => [label, code]));
  grid = new Grid(byId("grid"), index, { rank, open: openRow, turn });
  showFacets = facets(byId("facets"), index, toggle);
  overlays();
  Object.assign(state, place.read(index));
  byId("order").value = state.order;
  byId("order").addEventListener("change", (event) => go({ order: event.target.value, page: 0 }));
  byId("find").addEventListener("submit", findKey);
  byId("sample").addEventListener("close", closed);
  byId("tree-list").addEventListener("toggle", drawTree);
  byId("panel").addEventListener("toggle", drawTree);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTree);
  addEventListener("popstate", moved);
  addEventListener("hashchange", moved);
  await show();
  performance.mark("first-view");
  document.documentElement.dataset.view = "drawn";
  state.overlays = new Set(KINDS);
  const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 50));
  idle(() => {
    redraw();
    drawTree();
  });
  if (state.sample) await openKey(state.sample);
}

/** Show the place that `state` says; the promise ends when pictures are drawn. */
async function show() {
  for (const view of place.VIEWS) byId(view).hidden = view !== state.view;
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.hash === `#/${state.view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (state.view === "duplicates") return (await import("./pairs.js")).show(byId("pairs"), { index, open: openRow });
  if (state.view === "sources") return (await import("./sources.js")).show(byId("source-table"), { about, only: showSource });
  return showSamples();
}

async function showSamples() {
  found = search(index, state.chosen);
  order = state.order === "turns" ? inTurns(index, found.rows) : found.rows;
  showFacets(found.counts, state.chosen);
  chips(byId("chips"), index, state.chosen, { toggle, clear: () => go({ chosen: {}, page: 0 }) });
  const drawn = showPage();
  if (document.documentElement.dataset.view) drawTree();
  await drawn;
}

function showPage() {
  const pages = Math.max(1, Math.ceil(order.length / PER_PAGE));
  state.page = Math.min(state.page, pages - 1);
  const from = state.page * PER_PAGE;
  const rows = order.slice(from, from + PER_PAGE);
  const some = rows.length ? `, ${number(from + 1)} to ${number(from + rows.length)} shown` : "; take a filter back to see more";
  byId("status").textContent = `${counted(order.length, "sample")}${some}`;
  pager(pages);
  return grid.show(rows, { from, all: order.length, overlays: new Set(state.overlays) });
}

function pager(pages) {
  const button = (text, step, off) => el("button", { type: "button", disabled: off, on: { click: () => turn(step) } }, text);
  const jump = el("input", { type: "number", min: 1, max: pages, value: state.page + 1, "aria-label": `Page, of ${number(pages)}`, on: { change: (event) => goPage(Number(event.target.value) - 1) } });
  byId("pager").replaceChildren(button("Previous page", -1, state.page === 0), el("label", {}, "Page ", jump, ` of ${number(pages)}`), button("Next page", 1, state.page >= pages - 1));
}

function goPage(page) {
  const pages = Math.ceil(order.length / PER_PAGE);
  if (!(page >= 0 && page < pages)) return null;
  state.page = Math.floor(page);
  place.write(index, state);
  return showPage();
}

/** Another page; the focus goes to its first sample where it was in the grid, and else stays. */
async function turn(step) {
  const within = byId("grid").contains(document.activeElement);
  const button = document.activeElement?.textContent;
  const drawn = goPage(state.page + step);
  if (!drawn) return;
  if (within) grid.focus(0);
  else [...byId("pager").querySelectorAll("button")].find((one) => one.textContent === button && !one.disabled)?.focus();
  byId("samples").scrollIntoView({ block: "start" });
  await drawn;
}

function go(change) {
  Object.assign(state, change);
  place.write(index, state, { kept: false });
  show().catch(fault);
}

function toggle(field, code) {
  const codes = new Set(state.chosen[field]);
  if (!codes.delete(code)) codes.add(code);
  const chosen = { ...state.chosen, [field]: codes };
  if (!codes.size) delete chosen[field];
  go({ chosen, page: 0 });
}

/** Filter by a branch of the tree alone; an empty path takes those filters back. */
function choosePath(path) {
  const chosen = { ...state.chosen };
  LEVELS.forEach((level, depth) => {
    delete chosen[level];
    if (depth < path.length) chosen[level] = new Set([path[depth]]);
  });
  go({ chosen, page: 0 });
}

function showSource(name) {
  go({ view: "samples", chosen: { source: new Set([index.words.source.indexOf(name)]) }, page: 0 });
  byId("main").focus();
}

function moved() {
  const to = place.read(index);
  const opened = to.sample;
  Object.assign(state, to);
  byId("order").value = state.order;
  show().catch(fault);
  if (opened && !byId("sample").open) openKey(opened).catch(fault);
  if (!opened && byId("sample").open) byId("sample").close();
}

function overlays() {
  const names = { ...Object.fromEntries(KINDS.map((kind) => [kind, kind === "box" ? "boxes" : `${kind}s`])), prompt: "prompts" };
  for (const [kind, name] of Object.entries(names)) {
    if (kind === "prompt" && !about.suites.length) continue;
    const box = el("input", { type: "checkbox", checked: kind !== "prompt", value: kind, on: { change: (event) => switched(kind, event.target.checked) } });
    byId("overlays").append(el("label", {}, box, initial(name)));
  }
}

function switched(kind, on) {
  state.overlays = new Set(state.overlays);
  state.overlays[on ? "add" : "delete"](kind);
  redraw();
}

function redraw() {
  const done = grid.redraw(new Set(state.overlays));
  document.documentElement.dataset.overlays = "drawing";
  done.then(() => (document.documentElement.dataset.overlays = [...state.overlays].join(" ")));
}

async function drawTree() {
  if (state.view !== "samples" || !byId("panel").open || !found) return;
  const { show: draw } = await import("./tree.js");
  await draw({ index, tree: grown(index, state.chosen, found.byModality), choose: choosePath, list: byId("tree-list").open });
  document.documentElement.dataset.tree = "drawn";
}

/** For views: what goes wrong is said on the page. */
const openRow = (row) => openSample(row).catch(fault);

async function openSample(row) {
  const { show: open } = await import("./sample.js");
  const near = order?.includes(row) ? order : [row];
  const key = (await keys(0))[row];
  state.sample = key;
  place.write(index, state);
  await open(byId("sample"), { row, key, near, about, index, overlays: state.overlays, go: openRow });
}

async function openKey(key) {
  const row = (await keys(0)).indexOf(key);
  if (row < 0) throw new Error(`${key}: no such sample here`);
  await openSample(row);
}

function findKey(event) {
  event.preventDefault();
  const key = byId("key").value.trim();
  byId("fault").hidden = true;
  if (key) openKey(key).catch(fault);
}

/** The dialog was closed: the focus goes back to its sample, wherever one went from there. */
async function closed() {
  const row = state.sample ? (await keys(0)).indexOf(state.sample) : -1;
  state.sample = null;
  place.write(index, state);
  grid.buttonOf(row)?.focus();
}

start().catch(fault);
