// What fits, and how many: over typed arrays, without the page. Leaf fields hold together on one leaf of a sample.

export const ROW_FIELDS = ["modality", "modality_detail", "source", "split", "licence", "suite"];
export const LEAF_FIELDS = ["area", "task", "subset", "clinical_task", "department", "granularity", "label", "state"];
export const LEVELS = ["modality", "clinical_task", "department", "granularity", "label"];

/** The index with departments and suites as words of their own, each code of theirs as a list of those words' codes. */
export function prepared({ columns, words }) {
  const [departments, ofDepartments] = flattened(words.departments);
  const [suites, ofSuites] = flattened(words.suites);
  return {
    count: columns.set.length,
    columns: { ...columns, suite: columns.suites, leaf_department: columns.leaf_departments },
    words: { ...words, department: departments, suite: suites },
    several: { department: ofDepartments, suite: ofSuites },
    present: words.state.indexOf("present"),
  };
}

function flattened(lists) {
  const all = [...new Set(lists.flat())].sort();
  const place = new Map(all.map((word, code) => [word, code]));
  return [all, lists.map((list) => list.map((word) => place.get(word)))];
}

/**
 * Rows that fit; per field how many samples each word would leave, given all other fields; and samples by modality and set
 * of leaves, from which the tree grows. `chosen` maps fields to sets of codes; an absent or empty one asks for nothing.
 */
export function search(index, chosen) {
  const { columns, count } = index;
  const sets = columns.set_start.length - 1;
  const asksLeaf = LEAF_FIELDS.some((field) => chosen[field]?.size);
  const fitting = asksLeaf ? setsThatFit(index, leavesThatFit(index, chosen, null)) : new Uint8Array(sets).fill(1);
  const asked = ROW_FIELDS.filter((field) => chosen[field]?.size).map((field) => ({ field, accepts: acceptance(index, field, chosen[field]) }));
  const raw = Object.fromEntries(ROW_FIELDS.map((field) => [field, new Uint32Array(codesOf(index, field))]));
  const bySet = new Uint32Array(sets);
  const byModality = new Uint32Array(sets * index.words.modality.length);
  const rows = new Uint32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) {
    const set = columns.set[row];
    let failed = null;
    let fails = 0;
    for (const { field, accepts } of asked) {
      if (!accepts[columns[field][row]]) {
        failed = field;
        if (++fails > 1) break;
      }
    }
    if (fails > 1) continue;
    if (fails === 0) bySet[set]++;
    if (!fitting[set]) continue;
    if (fails === 1) {
      raw[failed][columns[failed][row]]++;
      continue;
    }
    rows[found++] = row;
    byModality[columns.modality[row] * sets + set]++;
    for (const field of ROW_FIELDS) raw[field][columns[field][row]]++;
  }
  const counts = {};
  for (const field of ROW_FIELDS) counts[field] = spread(index, field, raw[field]);
  for (const field of LEAF_FIELDS) counts[field] = leafCounts(index, chosen, field, bySet);
  return { rows: rows.slice(0, found), counts, byModality };
}

/** Rows dealt from the sources in turn, each source's in their order. */
export function inTurns(index, rows) {
  const seen = new Uint32Array(index.words.source.length);
  const turn = new Float64Array(rows.length);
  for (let place = 0; place < rows.length; place++) {
    const source = index.columns.source[rows[place]];
    turn[place] = (seen[source]++ * seen.length + source) * rows.length + place;
  }
  turn.sort();
  return Uint32Array.from(turn, (value) => rows[value % rows.length]);
}

/** The lexical tree of what `search` found: {level, code, count, children}, the largest first; samples count once a branch. */
export function grown(index, chosen, byModality) {
  const { columns } = index;
  const sets = columns.set_start.length - 1;
  const ok = leavesThatFit(index, chosen, null);
  const states = chosen.state?.size > 0;
  const root = branch(-1, null);
  for (let pair = 0; pair < byModality.length; pair++) {
    if (!byModality[pair]) continue;
    const step = stepper(pair + 1, byModality[pair]);
    step.mark(root);
    const top = step.into(root, Math.floor(pair / sets));
    const set = pair % sets;
    for (let at = columns.set_start[set]; at < columns.set_start[set + 1]; at++) {
      const leaf = columns.set_leaf[at];
      if (!ok[leaf]) continue;
      const task = step.into(top, columns.leaf_clinical_task[leaf]);
      for (const department of index.several.department[columns.leaf_department[leaf]]) {
        if (chosen.department?.size && !chosen.department.has(department)) continue;
        const place = step.into(step.into(task, department), columns.leaf_granularity[leaf]);
        const label = columns.leaf_label[leaf];
        const named = index.words.label[label] !== null;
        if (named && (states || columns.leaf_state[leaf] === index.present)) step.into(place, label);
      }
    }
  }
  return sorted(root);
}

const branch = (level, code) => ({ level, code, count: 0, stamp: 0, below: new Map() });

/** Marks branches for one group of alike samples, each once. */
function stepper(stamp, count) {
  const mark = (node) => {
    if (node.stamp !== stamp) {
      node.stamp = stamp;
      node.count += count;
    }
    return node;
  };
  const into = (node, code) => {
    if (!node.below.has(code)) node.below.set(code, branch(node.level + 1, code));
    return mark(node.below.get(code));
  };
  return { mark, into };
}

function sorted(node) {
  const children = [...node.below.values()].map(sorted).sort((a, b) => b.count - a.count || a.code - b.code);
  return { level: node.level, code: node.code, count: node.count, children };
}

/** How many codes a field's column has: its words, or for departments and suites the lists of them. */
function codesOf(index, field) {
  return (index.several[field] ?? index.words[field]).length;
}

/** For every code of a field's column, whether it holds one of the chosen words. */
function acceptance(index, field, chosen) {
  const lists = index.several[field];
  return Uint8Array.from({ length: codesOf(index, field) }, (_, code) => (lists ? lists[code].some((word) => chosen.has(word)) : chosen.has(code)));
}

/** Counts by list spread over the words in each. */
function spread(index, field, raw) {
  if (!index.several[field]) return raw;
  const counts = new Uint32Array(index.words[field].length);
  raw.forEach((count, code) => index.several[field][code].forEach((word) => (counts[word] += count)));
  return counts;
}

/** Which leaves meet all conditions but that of one field. A label is meant as present unless states are chosen. */
function leavesThatFit(index, chosen, but) {
  const leaves = index.columns.leaf_label.length;
  const ok = new Uint8Array(leaves).fill(1);
  for (const field of LEAF_FIELDS) {
    if (field === but || !chosen[field]?.size) continue;
    const accepts = acceptance(index, field, chosen[field]);
    const codes = index.columns[`leaf_${field}`];
    for (let leaf = 0; leaf < leaves; leaf++) if (!accepts[codes[leaf]]) ok[leaf] = 0;
  }
  const asksLabel = but === "label" || (chosen.label?.size && but !== "state");
  if (asksLabel && !chosen.state?.size) {
    for (let leaf = 0; leaf < leaves; leaf++) if (index.columns.leaf_state[leaf] !== index.present) ok[leaf] = 0;
  }
  return ok;
}

function setsThatFit(index, ok) {
  const { set_start: start, set_leaf: held } = index.columns;
  const fitting = new Uint8Array(start.length - 1);
  for (let set = 0; set < fitting.length; set++) {
    for (let at = start[set]; at < start[set + 1] && !fitting[set]; at++) fitting[set] = ok[held[at]];
  }
  return fitting;
}

function leafCounts(index, chosen, field, bySet) {
  const { set_start: start, set_leaf: held } = index.columns;
  const ok = leavesThatFit(index, chosen, field);
  const codes = index.columns[`leaf_${field}`];
  const lists = index.several[field];
  const counts = new Uint32Array(index.words[field].length);
  const stamp = new Uint32Array(counts.length);
  const add = (word, set) => {
    if (stamp[word] !== set + 1) counts[word] += bySet[set];
    stamp[word] = set + 1;
  };
  for (let set = 0; set < bySet.length; set++) {
    if (!bySet[set]) continue;
    for (let at = start[set]; at < start[set + 1]; at++) {
      if (!ok[held[at]]) continue;
      const code = codes[held[at]];
      if (lists) lists[code].forEach((word) => add(word, set));
      else add(code, set);
    }
  }
  return counts;
}

/** Labels present on a sample, in the order of their codes. */
export function labelsOf(index, row) {
  const { set, set_start: start, set_leaf: held, leaf_label: label, leaf_state: state } = index.columns;
  const found = new Set();
  for (let at = start[set[row]]; at < start[set[row] + 1]; at++) {
    if (state[held[at]] === index.present) found.add(label[held[at]]);
  }
  return [...found].sort((a, b) => a - b).map((code) => index.words.label[code]);
}

/** The area of a sample's first leaf: what it is a picture of, in a word. */
export function areaOf(index, row) {
  const { set, set_start: start, set_leaf: held, leaf_area: area } = index.columns;
  return index.words.area[area[held[start[set[row]]]]];
}
