// A page of samples as a grid of thumbnails, walked with arrow keys.

import { el, number, words } from "./dom.js";
import { areaOf, labelsOf } from "./filter.js";
import { coloursOf, drawAnnotations, drawPrompts } from "./overlay.js";
import { hidden, labelsTold, paint, questions, record, thumbSize, thumbnail } from "./pictures.js";

export const PER_PAGE = 60;
const LARGE = 2;

/** The grid; `open(row)` is called for a chosen sample, `turn(step)` for another page. */
export class Grid {
  constructor(into, index, { rank, open, turn }) {
    Object.assign(this, { into, index, rank, open, turn, tiles: [], shown: new Set(), columns: 0 });
    into.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.arrange()).observe(into);
  }

  /** Show rows; `from` is the place of the first among all. The promise ends when all thumbnails are drawn. */
  show(rows, { from, all, overlays }) {
    this.shown = overlays;
    this.all = all;
    this.tiles = Array.from(rows, (row, place) => this.tile(row, from + place));
    this.columns = 0;
    this.arrange();
    this.into.setAttribute("aria-rowcount", Math.ceil(all / Math.max(1, this.columns)));
    return Promise.all(this.tiles.map((tile) => this.paint(tile)));
  }

  /** Draw all tiles again with other overlays. */
  redraw(overlays) {
    this.shown = overlays;
    return Promise.all(this.tiles.map((tile) => this.paint(tile)));
  }

  focus(place) {
    const tile = this.tiles[Math.max(0, Math.min(place, this.tiles.length - 1))];
    if (!tile) return;
    for (const one of this.tiles) one.button.tabIndex = one === tile ? 0 : -1;
    tile.button.focus();
  }

  /** The button of a row, if it is on this page. */
  buttonOf(row) {
    return this.tiles.find((tile) => tile.row === row)?.button;
  }

  tile(row, place) {
    const { index } = this;
    const [source, split, modality] = ["source", "split", "modality"].map((name) => index.words[name][index.columns[name][row]]);
    const labels = labelsOf(index, row);
    const about = [modality, words(areaOf(index, row) ?? "")].join(", ");
    const labelled = labelsTold(row) ? labels.join(", ") || "nothing labelled present" : "labels not told";
    const reason = hidden(row);
    const seen = reason
      ? el("span", { class: "frame withheld" }, el("span", {}, "Picture not shown"))
      : el("span", { class: "frame" }, el("canvas", { "aria-hidden": "true", width: 1, height: 1 }));
    const button = el(
      "button",
      {
        type: "button",
        class: "tile",
        tabindex: -1,
        title: reason || null,
        "aria-label": `${number(place + 1)}: ${about}; ${labelled}; ${words(source)}, ${split}${reason ? "; picture not shown" : ""}`,
        on: { click: () => this.open(row), focus: () => this.hold(button) },
      },
      seen,
      el("span", { class: "about" }, `${modality} · ${words(areaOf(index, row) ?? "")}`),
      el("span", { class: "labels" }, labelled),
      el("span", { class: "about" }, `${source} · ${split}`),
    );
    return { row, button, canvas: button.querySelector("canvas") };
  }

  /** The one tile that Tab comes to. */
  hold(button) {
    for (const tile of this.tiles) tile.button.tabIndex = tile.button === button ? 0 : -1;
  }

  /** Deal tiles into rows of as many columns as there is room for. */
  arrange() {
    const style = getComputedStyle(this.into);
    const columns = style.gridTemplateColumns.split(" ").filter(Boolean).length || 1;
    if (columns === this.columns) return;
    const focused = document.activeElement;
    this.columns = columns;
    const rows = [];
    for (let at = 0; at < this.tiles.length; at += columns) {
      const cells = this.tiles.slice(at, at + columns).map(({ button }) => el("div", { role: "gridcell" }, button));
      rows.push(el("div", { role: "row" }, cells));
    }
    this.into.replaceChildren(...rows);
    if (this.tiles.length && !this.tiles.some(({ button }) => button.tabIndex === 0)) this.tiles[0].button.tabIndex = 0;
    if (this.into.contains(focused)) focused.focus();
  }

  key(event) {
    const at = this.tiles.findIndex(({ button }) => button === document.activeElement);
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in steps) {
      const to = at + steps[event.key];
      if (to >= 0 && to < this.tiles.length) this.focus(to);
    } else if (event.key === "Home") this.focus(0);
    else if (event.key === "End") this.focus(this.tiles.length - 1);
    else if (event.key === "PageDown") this.turn(1);
    else if (event.key === "PageUp") this.turn(-1);
    else return;
    event.preventDefault();
  }

  async paint({ row, canvas }) {
    if (!canvas) return;
    try {
      const wants = this.shown;
      const seen = await thumbnail(row);
      const overlay = wants.size ? await this.overlayOf(row, wants) : null;
      if (wants !== this.shown) return;
      const { width, height } = thumbSize(row);
      const scale = overlay ? LARGE : 1;
      canvas.width = width * scale;
      canvas.height = height * scale;
      paint(canvas, seen);
      overlay?.(canvas);
    } catch (error) {
      canvas.replaceWith(el("span", {}, "No picture: ", `${error.message}`));
    }
  }

  /** A function that draws what is asked for on a canvas. */
  async overlayOf(row, wants) {
    const [told, asked] = await Promise.all([record(row), wants.has("prompt") ? questions(row) : []]);
    const colours = coloursOf(told, this.rank);
    return (canvas) => {
      drawAnnotations(canvas, told, { shown: wants, colours });
      drawPrompts(canvas, told, asked.flatMap((question) => question.prompts));
    };
  }
}
