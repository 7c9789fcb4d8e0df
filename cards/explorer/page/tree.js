// The lexical tree: a sunburst for the eye and the mouse, the same as a list for keys and screen readers.

import { byId, counted, el, number, words } from "./dom.js";
import { LEVELS } from "./filter.js";

const MOST = 700;
const COLOURS = ["#56b4e9", "#e69f00", "#3fb68b", "#cc79a7", "#d5804a", "#8aa5d6", "#d6c945", "#9a9a9a"];

/** Draw both; `choose(path of codes)` filters by a branch. */
export async function show({ index, tree, choose, list }) {
  if (list) drawList(byId("tree"), { index, tree, choose });
  await loaded();
  drawSunburst(byId("sunburst"), { index, tree, choose });
}

let loading;
function loaded() {
  loading ??= new Promise((done, failed) => {
    document.head.append(el("script", { src: "plotly.min.js", on: { load: done, error: () => failed(new Error("plotly.min.js can't be loaded")) } }));
  });
  return loading;
}

const named = (index, node) => words(index.words[LEVELS[node.level]][node.code] ?? "none");

/** Sectors as Plotly wants them: a child's angle is its share of its parent, or of all siblings where samples stand in several. */
function sectors(index, tree) {
  const found = { ids: ["/"], parents: [""], labels: ["all"], values: [1], text: [counted(tree.count, "sample")], colours: ["rgba(0,0,0,0)"], paths: [[]] };
  const queue = [{ node: tree, id: "/", weight: 1, path: [], colour: null }];
  while (queue.length && found.ids.length < MOST) {
    const { node, id, weight, path, colour } = queue.shift();
    const all = Math.max(node.count, node.children.reduce((sum, child) => sum + child.count, 0));
    node.children.forEach((child, place) => {
      const own = { id: `${id}${child.code}/`, weight: (weight * child.count) / all, path: [...path, child.code] };
      const shade = colour ?? COLOURS[place % COLOURS.length];
      found.ids.push(own.id);
      found.parents.push(id);
      found.labels.push(named(index, child));
      found.values.push(own.weight);
      found.text.push(counted(child.count, "sample"));
      found.colours.push(shade);
      found.paths.push(own.path);
      queue.push({ node: child, colour: shade, ...own });
    });
  }
  return found;
}

function drawSunburst(into, { index, tree, choose }) {
  const { ids, parents, labels, values, text, colours, paths } = sectors(index, tree);
  const style = getComputedStyle(document.body);
  const trace = {
    type: "sunburst", ids, parents, labels, values, text, branchvalues: "total", sort: false, rotation: 90,
    textinfo: "label", insidetextorientation: "auto", hovertemplate: "%{label}<br>%{text}<extra></extra>",
    marker: { colors: colours, line: { color: style.backgroundColor, width: 1 } },
    leaf: { opacity: 0.75 }, textfont: { color: "#111" },
  };
  trace.labels[0] = number(tree.count);
  trace.textfont = { color: ids.map((id) => (id === "/" ? style.color : "#111")) };
  const layout = { margin: { t: 4, l: 4, r: 4, b: 4 }, paper_bgcolor: "rgba(0,0,0,0)", font: { family: style.fontFamily, size: 13 }, uniformtext: { minsize: 9, mode: "hide" } };
  globalThis.Plotly.react(into, [trace], layout, { displayModeBar: false, responsive: true });
  into.removeAllListeners?.("plotly_sunburstclick");
  into.on("plotly_sunburstclick", (event) => {
    choose(paths[event.points[0].pointNumber] ?? []);
    return false;
  });
}

function drawList(into, { index, tree, choose }) {
  const root = el("ul", { role: "tree", "aria-label": "Lexical tree" }, tree.children.map((node) => item(node, [])));
  const first = root.querySelector("[role=treeitem]");
  if (first) first.tabIndex = 0;
  root.addEventListener("keydown", (event) => key(event, root));
  into.replaceChildren(root);

  function item(node, above) {
    const path = [...above, node.code];
    const text = `${named(index, node)}, ${counted(node.count, "sample")}`;
    const line = el("span", { class: "branch" }, el("span", { class: "word" }, named(index, node)), " ", el("span", { class: "count" }, number(node.count)));
    const whole = el("li", { role: "treeitem", tabindex: -1, "aria-label": text, "aria-expanded": node.children.length ? "false" : null }, line);
    whole.expand = (on) => {
      if (!node.children.length) return;
      whole.setAttribute("aria-expanded", String(on));
      whole.querySelector(":scope > ul")?.remove();
      if (on) whole.append(el("ul", { role: "group" }, node.children.map((child) => item(child, path))));
    };
    whole.choose = () => choose(path);
    line.addEventListener("click", () => (whole.getAttribute("aria-expanded") === "false" ? whole.expand(true) : whole.choose()));
    return whole;
  }
}

/** The keys of a tree after the ARIA practices: up and down, right opens, left closes or goes up, Enter chooses. */
function key(event, root) {
  const at = document.activeElement.closest("[role=treeitem]");
  if (!at) return;
  const all = [...root.querySelectorAll("[role=treeitem]")];
  const open = at.getAttribute("aria-expanded");
  const to = {
    ArrowDown: all[all.indexOf(at) + 1],
    ArrowUp: all[all.indexOf(at) - 1],
    Home: all[0],
    End: all.at(-1),
    ArrowRight: open === "true" ? at.querySelector("[role=treeitem]") : null,
    ArrowLeft: open === "true" ? null : at.parentElement.closest("[role=treeitem]"),
  }[event.key];
  if (to) {
    for (const one of all) one.tabIndex = one === to ? 0 : -1;
    to.tabIndex = 0;
    to.focus();
  } else if (event.key === "ArrowRight" && open === "false") at.expand(true);
  else if (event.key === "ArrowLeft" && open === "true") at.expand(false);
  else if (event.key === "Enter" || event.key === " ") at.choose();
  else if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
}
