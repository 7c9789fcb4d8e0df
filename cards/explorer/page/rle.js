// COCO's compressed run lengths: columns from left to right, each from top to bottom, background first.

/** Run lengths of a text: background and foreground in turn. */
export function lengths(counts) {
  const found = [];
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let shift = 0;
    let chunk;
    do {
      chunk = counts.charCodeAt(at++) - 48;
      value += (chunk & 31) * 2 ** shift;
      shift += 5;
    } while (chunk & 32);
    if (chunk & 16) value -= 2 ** shift;
    if (found.length > 2) value += found[found.length - 2];
    found.push(value);
  }
  return found;
}

/**
 * The mask on a canvas of another size: its smallest frame there, and in it 1 (row by row) for every canvas pixel that a
 * pixel of the mask touches. On a canvas of the image's own size that is the mask itself.
 */
export function onCanvas(counts, image, canvas) {
  const spans = columnSpans(lengths(counts), image.height);
  const frame = { x: canvas.width, y: canvas.height, right: 0, bottom: 0 };
  const across = canvas.width / image.width;
  const down = canvas.height / image.height;
  for (let at = 0; at < spans.length; at += 3) {
    frame.x = Math.min(frame.x, Math.floor(spans[at] * across));
    frame.right = Math.max(frame.right, Math.ceil((spans[at] + 1) * across));
    frame.y = Math.min(frame.y, Math.floor(spans[at + 1] * down));
    frame.bottom = Math.max(frame.bottom, Math.ceil(spans[at + 2] * down));
  }
  const width = Math.max(0, Math.min(frame.right, canvas.width) - frame.x);
  const height = Math.max(0, Math.min(frame.bottom, canvas.height) - frame.y);
  const inside = new Uint8Array(width * height);
  for (let at = 0; at < spans.length; at += 3) {
    const left = Math.floor(spans[at] * across) - frame.x;
    const right = Math.min(Math.ceil((spans[at] + 1) * across) - frame.x, width);
    const top = Math.floor(spans[at + 1] * down) - frame.y;
    const bottom = Math.min(Math.ceil(spans[at + 2] * down) - frame.y, height);
    for (let y = top; y < bottom; y++) inside.fill(1, y * width + left, y * width + right);
  }
  return { x: frame.x, y: frame.y, width, height, inside };
}

/** Triples of column, first row and row after the last, for every foreground run cut at the ends of columns. */
function columnSpans(runs, height) {
  const spans = [];
  let at = 0;
  runs.forEach((length, place) => {
    const end = at + length;
    if (place % 2 === 1) {
      for (let start = at; start < end; ) {
        const column = Math.floor(start / height);
        const stop = Math.min(end, (column + 1) * height);
        spans.push(column, start - column * height, stop - column * height);
        start = stop;
      }
    }
    at = end;
  });
  return spans;
}
