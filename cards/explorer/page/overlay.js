// Boxes, masks, contours, points and prompts, drawn over a clean picture on a canvas of any size.

import { onCanvas } from "./rle.js";

/** Colours of Okabe and Ito (2008), which people with any colour vision can tell apart. */
export const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2"];
export const PROMPT = "#00e5ff";
export const ANSWER = "#ffe600";
export const KINDS = ["box", "mask", "contour", "point"];
const DARK = "rgb(16 16 16 / 0.7)";
const BRIGHT = "rgb(255 255 255 / 0.8)";
const THIN_PX = 150;
const FILL = 90;
const FAINT = 26;

/** Label → colour: the same label has the same on all samples, unless two on one sample would share it. */
export function coloursOf(record, rank) {
  const found = new Map();
  const free = new Set(COLOURS.keys());
  for (const { label } of record.annotations) {
    if (found.has(label)) continue;
    let place = (rank.get(label) ?? 0) % COLOURS.length;
    for (let tried = 0; free.size && !free.has(place) && tried < COLOURS.length; tried++) place = (place + 1) % COLOURS.length;
    free.delete(place);
    found.set(label, COLOURS[place]);
  }
  return found;
}

/** Draw those annotations of a record whose granularity is shown; with `only`, that one alone. */
export function drawAnnotations(canvas, record, { shown, colours, only = null }) {
  const some = record.annotations.filter((one) => (only ? one.id === only : shown.has(one.granularity)));
  const regions = some.map((one) => ({ ...region(one), colour: colours.get(one.label) }));
  drawRegions(canvas, record, regions);
  return some.length;
}

/** Draw what questions point at. */
export function drawPrompts(canvas, record, prompts, colour = PROMPT) {
  const known = new Map(record.annotations.map((one) => [one.id, one]));
  const regions = prompts.map((prompt) => ({
    kind: prompt.kind,
    box: prompt.box_xyxy_px,
    points: prompt.points_xy_px,
    rle: known.get(prompt.annotation)?.rle,
    colour,
  }));
  drawRegions(canvas, record, regions);
}

/** Draw the annotations that answer a question. */
export function drawTargets(canvas, record, targets) {
  const some = record.annotations.filter((one) => targets.includes(one.id));
  drawRegions(canvas, record, some.map((one) => ({ ...region(one), colour: ANSWER })));
}

const region = (one) => ({ kind: one.granularity, box: one.box_xyxy_px, points: one.points, rle: one.rle });

function drawRegions(canvas, record, regions) {
  const [height, width] = record.size_hw_px;
  const image = { width, height };
  const painted = regions.filter((one) => one.rle && (one.kind === "mask" || one.kind === "contour"));
  if (painted.length) paintMasks(canvas, image, painted);
  const brush = canvas.getContext("2d");
  const scale = { x: canvas.width / width, y: canvas.height / height };
  const thick = Math.max(1, Math.round(Math.min(canvas.width, canvas.height) / THIN_PX));
  for (const one of regions) {
    if (one.kind === "box" && one.box) drawBox(brush, one.box, scale, one.colour, thick);
    if (one.kind === "point") for (const [x, y] of one.points) drawPoint(brush, x * scale.x, y * scale.y, one.colour, thick);
  }
}

/** All masks on one layer, each a veil with a firm edge; of contours the veil is faint. */
function paintMasks(canvas, image, regions) {
  const layer = new OffscreenCanvas(canvas.width, canvas.height);
  const brush = layer.getContext("2d");
  const pixels = brush.createImageData(canvas.width, canvas.height);
  const thick = Math.min(canvas.width, canvas.height) > 400 ? 2 : 1;
  for (const one of regions) {
    const mask = onCanvas(one.rle, image, canvas);
    paintMask(pixels, mask, rgb(one.colour), { veil: one.kind === "mask" ? FILL : FAINT, thick });
  }
  brush.putImageData(pixels, 0, 0);
  canvas.getContext("2d").drawImage(layer, 0, 0);
}

function paintMask(pixels, mask, colour, { veil, thick }) {
  const { width, height, inside } = mask;
  const held = (x, y) => x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside[y * width + x]) continue;
      const within = held(x - thick, y) && held(x + thick, y) && held(x, y - thick) && held(x, y + thick);
      const at = 4 * ((mask.y + y) * pixels.width + mask.x + x);
      if (within && pixels.data[at + 3] === 255) continue;
      pixels.data.set(colour, at);
      pixels.data[at + 3] = within ? Math.max(veil, pixels.data[at + 3]) : 255;
    }
  }
}

function drawBox(brush, [x0, y0, x1, y1], scale, colour, thick) {
  const frame = [x0 * scale.x, y0 * scale.y, (x1 - x0) * scale.x, (y1 - y0) * scale.y];
  for (const [style, width] of [[edge(colour), thick + 1.5], [colour, thick]]) {
    brush.strokeStyle = style;
    brush.lineWidth = width;
    brush.strokeRect(...frame);
  }
}

function drawPoint(brush, x, y, colour, thick) {
  brush.beginPath();
  brush.arc(x, y, 2 + 1.5 * thick, 0, 2 * Math.PI);
  brush.fillStyle = colour;
  brush.fill();
  brush.strokeStyle = edge(colour);
  brush.lineWidth = 1;
  brush.stroke();
}

/** An edge that sets a line off: bright for a dark colour, dark for a bright one, by luma (ITU-R BT.709). */
function edge(colour) {
  const [red, green, blue] = rgb(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 110 ? BRIGHT : DARK;
}

const rgb = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
