// Data files: gzip that the page opens itself, holding JSON or columns of numbers behind a JSON header.

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };

/** The bytes of a file, gunzipped where a server hasn't done so already. */
async function bytes(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}; the explorer's data are incomplete`);
  const body = await answer.arrayBuffer();
  const head = new Uint8Array(body, 0, Math.min(2, body.byteLength));
  if (head[0] !== 0x1f || head[1] !== 0x8b) return body;
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export async function json(address) {
  return JSON.parse(new TextDecoder().decode(await bytes(address)));
}

/** Columns as typed arrays, and the words of their codes. */
export async function columns(address) {
  const body = await bytes(address);
  const size = new DataView(body).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, size)));
  const found = {};
  for (const [name, { type, at, length }] of Object.entries(header.columns)) {
    found[name] = new TYPES[type](body, 4 + size + at, length);
  }
  return { columns: found, words: header.words };
}

/** A function that remembers the promises of its last `most` arguments; those that fail are asked for again. */
export function remembered(make, most) {
  const known = new Map();
  return (key) => {
    const hit = known.get(key);
    known.delete(key);
    const promise = hit ?? make(key);
    if (!hit) promise.catch(() => known.delete(key));
    known.set(key, promise);
    if (known.size > most) known.delete(known.keys().next().value);
    return promise;
  };
}
