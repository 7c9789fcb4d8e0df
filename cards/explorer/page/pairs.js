// Duplicates side by side, the worst first.

import { counted, el, number, words } from "./dom.js";
import { areaOf, labelsOf } from "./filter.js";
import { json, remembered } from "./pack.js";
import { hidden, labelsTold, paint, thumbSize, thumbnail } from "./pictures.js";

const PER_PAGE = 20;
const all = remembered(() => json("data/pairs.pack"), 1);

export async function show(into, { index, open }) {
  const found = await all(0);
  const list = found.a.map((a, at) => ({ a, b: found.b[at], kind: found.kind[at], distance: found.distance[at], score: found.score[at], crosses: found.crosses[at] }));
  const state = { page: 0, crossing: false };
  const crossing = list.filter((pair) => pair.crosses).length;
  const facts = [`${counted(found.total, "pair")} in all`, `${number(crossing)} of those shown cross splits`];
  if (found.total > list.length) facts.push(`the worst ${number(list.length)} are here`);
  if (found.unknown) facts.push(`${counted(found.unknown, "pair")} of the report name samples that the release no longer holds`);
  const box = el("input", { type: "checkbox", on: { change: (event) => draw({ crossing: event.target.checked, page: 0 }) } });
  const pairs = el("ol", { class: "pairs" });
  const pager = el("nav", { class: "pager", "aria-label": "Pages of duplicates" });
  const status = el("p", { role: "status" });
  into.replaceChildren(el("p", {}, found.words), el("p", {}, `${facts.join("; ")}.`), el("label", {}, box, " Only pairs that cross splits"), status, pairs, pager);

  function draw(changed) {
    Object.assign(state, changed);
    const fitting = state.crossing ? list.filter((pair) => pair.crosses) : list;
    const pages = Math.max(1, Math.ceil(fitting.length / PER_PAGE));
    const from = state.page * PER_PAGE;
    const some = fitting.slice(from, from + PER_PAGE);
    status.textContent = some.length ? `${number(from + 1)} to ${number(from + some.length)} of ${counted(fitting.length, "pair")}` : "No such pair.";
    pairs.start = from + 1;
    pairs.replaceChildren(...some.map((pair) => el("li", { class: pair.crosses ? "crosses" : null }, el("p", {}, said(pair)), el("div", { class: "pair" }, side(pair.a), side(pair.b)))));
    const button = (text, step) => el("button", { type: "button", disabled: state.page + step < 0 || state.page + step >= pages, on: { click: () => draw({ page: state.page + step }) } }, text);
    pager.replaceChildren(button("Previous pairs", -1), el("span", {}, `Page ${number(state.page + 1)} of ${number(pages)}`), button("Next pairs", 1));
  }

  function side(row) {
    const [source, split, modality] = ["source", "split", "modality"].map((name) => index.words[name][index.columns[name][row]]);
    const labelled = labelsTold(row) ? labelsOf(index, row).join(", ") || "nothing labelled present" : "labels not told";
    const reason = hidden(row);
    const canvas = reason ? null : el("canvas", { "aria-hidden": "true", width: 1, height: 1 });
    if (canvas) paintThumb(row, canvas);
    const seen = el("span", { class: reason ? "frame withheld" : "frame" }, canvas ?? el("span", {}, "Picture not shown"));
    const text = [el("span", { class: "about" }, `${modality} · ${words(areaOf(index, row) ?? "")}`), el("span", { class: "labels" }, labelled), el("span", { class: "about" }, `${source} · ${split}`)];
    return el("button", { type: "button", class: "tile", title: reason || null, "aria-label": `${modality}, ${labelled}, ${source}, ${split}: open`, on: { click: () => open(row) } }, seen, text);
  }
  draw({});
}

const said = ({ kind, distance, score, crosses }) => [`${kind} copy`, `${distance} of 256 bits differ`, score === null ? null : `agreement ${score.toFixed(3)}`, crosses ? "crosses splits" : null].filter(Boolean).join(" · ");

async function paintThumb(row, canvas) {
  const seen = await thumbnail(row);
  Object.assign(canvas, thumbSize(row));
  paint(canvas, seen);
}
