// The sources: how many samples, under which licence, with which rights and oddities.

import { el, number, outward, words } from "./dom.js";

const GRANTED = { true: ["✓", "yes"], false: ["✗", "no"], null: ["?", "not known"] };
const MODES = { full: "everything", annotations: "records without pixels", recipe: "recipe alone" };
const HEADS = ["Source", "Samples", "Licence", "May be passed on", "Access", "Groups are", "Holds", "Oddities and citation"];

export function show(into, { about, only }) {
  const rows = about.sources.map((source) => el("tr", {}, cells(source, only)));
  const head = el("thead", {}, el("tr", {}, HEADS.map((text) => el("th", { scope: "col" }, text))));
  const caption = el("caption", { class: "unseen" }, "Sources with licences, rights and oddities");
  const table = el("table", { class: "sources" }, caption, head, el("tbody", {}, rows));
  const note = el("p", { class: "faint" }, "Rights are our reading of the owners' words, whose evidence stands beside them; they are no legal advice.");
  into.replaceChildren(note, el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table of sources, scrollable" }, table));
}

function cells(source, only) {
  const total = Object.values(source.splits).reduce((sum, count) => sum + count, 0);
  const name = source.held ? el("button", { type: "button", class: "plain", "aria-label": `Show the samples of ${source.name}`, on: { click: () => only(source.name) } }, source.name) : source.name;
  return [
    el("th", { scope: "row" }, name, el("div", { class: "faint" }, outward(source.homepage, source.title))),
    el("td", {}, el("b", {}, number(total)), counts(source), source.withheld ? el("div", { class: "faint" }, `${number(source.withheld)} pictures not shown here`) : null, source.limit === null ? null : el("div", { class: "faint" }, "limited build")),
    el("td", {}, outward(source.licence.address, source.licence.id), el("div", { class: "faint" }, source.licence.name === source.licence.id ? "" : source.licence.name), more("Evidence", el("p", {}, source.licence_evidence))),
    el("td", {}, rights(source.rights)),
    el("td", {}, source.access),
    el("td", {}, source.group_kind),
    el("td", {}, MODES[source.mode]),
    el("td", {}, source.oddities?.length ? more(`Oddities (${source.oddities.length})`, el("ul", {}, source.oddities.map((one) => el("li", {}, one)))) : null, more("Citation", el("pre", {}, source.citation || source.cite || "none"))),
  ];
}

function counts(source) {
  const splits = Object.entries(source.splits).map(([split, count]) => `${split} ${number(count)}`);
  const excluded = Object.entries(source.excluded).map(([reason, count]) => `${number(count)} left out: ${words(reason)}`);
  return el("div", { class: "faint" }, [...splits, ...excluded].join(", "));
}

function rights(list) {
  return el("ul", { class: "rights" }, list.map(({ subject, licence, granted, evidence }) => {
    const [sign, word] = GRANTED[granted];
    const said = el("span", { class: `granted ${granted}` }, el("span", { "aria-hidden": "true" }, sign), ` ${words(subject)}: ${word}`);
    const read = evidence.read_on ? ` (read ${evidence.read_on})` : "";
    return el("li", {}, more(said, el("p", {}, `${licence}. ${evidence.words}${read}`), el("p", {}, outward(evidence.address, evidence.address))));
  }));
}

const more = (title, ...body) => el("details", { class: "more" }, el("summary", {}, title), body);
