// Where in the explorer we are, kept in the address so that it can be passed on: #/samples?modality=CT&page=2&sample=KEY

import { LEAF_FIELDS, ROW_FIELDS } from "./filter.js";

export const FIELDS = [...ROW_FIELDS, ...LEAF_FIELDS];
export const VIEWS = ["samples", "duplicates", "sources"];

/** View, filters as codes, page (from 0), order and key of the open sample, as the address says. */
export function read(index) {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const said = new URLSearchParams(query);
  const chosen = {};
  for (const field of FIELDS) {
    const codes = said.getAll(field).map((word) => index.words[field].indexOf(word)).filter((code) => code >= 0);
    if (codes.length) chosen[field] = new Set(codes);
  }
  const page = Math.max(0, (Number.parseInt(said.get("page"), 10) || 1) - 1);
  const order = said.get("order") === "stored" ? "stored" : "turns";
  return { view: VIEWS.includes(path) ? path : "samples", chosen, page, order, sample: said.get("sample") };
}

/** Put a place into the address; `kept` adds no step to the browser's history. */
export function write(index, { view, chosen, page, order, sample }, { kept = true } = {}) {
  const said = new URLSearchParams();
  for (const field of FIELDS) for (const code of chosen[field] ?? []) said.append(field, index.words[field][code]);
  if (page) said.set("page", page + 1);
  if (order === "stored") said.set("order", order);
  if (sample) said.set("sample", sample);
  const query = said.toString();
  history[kept ? "replaceState" : "pushState"](null, "", `#/${view}${query ? `?${query}` : ""}`);
}
