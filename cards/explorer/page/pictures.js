// Thumbnails, stored images, records and questions: where they lie, and which are remembered.

import { json, remembered } from "./pack.js";

let about;
let index;

export function know(release, found) {
  about = release;
  index = found;
}

async function bitmap(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return createImageBitmap(await answer.blob());
}

const sheets = remembered((block) => bitmap(`sprites/${block}.jpg`), 48);
const thumbs = remembered((row) => bitmap(`thumbs/${row}.jpg`), 400);
const images = remembered((row) => bitmap(`images/${row}`), 6);
const recordBlocks = remembered((block) => json(`records/${block}.pack`), 80);
const questionBlocks = remembered((block) => json(`questions/${block}.pack`), 40);

const ofBlock = async (blocks, row) => (await blocks(Math.floor(row / about.block)))[row % about.block];
export const record = (row) => ofBlock(recordBlocks, row);
export const questions = (row) => ofBlock(questionBlocks, row);

/** Why a sample's picture isn't shown; empty where it is. */
export const hidden = (row) => index.words.reasons[index.columns.reason[row]];

/** Why something of a sample isn't told; empty where all is. */
export const untold = (row) => index.words.untold[index.columns.untold[row]];
/** What the grid says of a sample's labels; the second reason keeps questions alone. */
export const labelsTold = (row) => index.columns.untold[row] !== 1;
export const sizeOf = (row) => ({ width: index.columns.width_px[row], height: index.columns.height_px[row] });

/** Size of a thumbnail; `cards/explorer/sights.py` says the same. */
export function thumbSize(row) {
  const { width, height } = sizeOf(row);
  const side = about.pictures.side_px;
  const longest = Math.max(width, height);
  if (longest <= side) return { width, height };
  const fitted = (length) => Math.max(1, Math.floor((2 * length * side + longest) / (2 * longest)));
  return { width: fitted(width), height: fitted(height) };
}

/** A thumbnail as an image and the frame in it. */
export async function thumbnail(row) {
  const size = thumbSize(row);
  if (!about.pictures.sheets) return { image: await thumbs(row), x: 0, y: 0, ...size };
  const { side_px: side, columns } = about.pictures;
  const place = row % about.block;
  const image = await sheets(Math.floor(row / about.block));
  return { image, x: (place % columns) * side, y: Math.floor(place / columns) * side, ...size };
}

/** The stored image, or where there are thumbnails alone that one; `whole` says which. */
export async function picture(row) {
  if (!about.pictures.images) return { ...(await thumbnail(row)), whole: false };
  return { image: await images(row), x: 0, y: 0, ...sizeOf(row), whole: true };
}

/** Paint a picture's frame over a whole canvas. */
export function paint(canvas, { image, x, y, width, height }) {
  const brush = canvas.getContext("2d");
  brush.imageSmoothingEnabled = canvas.width < 2 * width;
  brush.imageSmoothingQuality = "high";
  brush.drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
}
