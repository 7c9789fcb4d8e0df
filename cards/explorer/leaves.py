"""Which leaves of the lexical tree every sample has, as codes.

A leaf is one label state or annotation: area, task, subset, clinical task, departments, granularity, label and state that
hold together, as `medloom select` reads them. Few distinct ones make up a release, and few distinct sets of them its
samples; so a sample is one number, and the page tells by sets, not by samples, what fits a filter.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .rows import Rows, coded

FIELDS = ("area", "task", "subset", "clinical_task", "departments", "granularity", "label", "state")
_LISTS = {"area": "areas", "task": "tasks", "subset": "subsets", "clinical_task": "clinical_tasks"}
_JOINT = "\x1f"
"""Between the departments of a leaf; no name holds it."""


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaves, sets of leaves, and the set of every sample."""

    columns: dict[str, np.ndarray]
    """`set` per sample; `set_start` (one more than there are sets) into `set_leaf`; and per leaf a code for every field."""
    words: dict[str, list[Any]]
    """Field → word of every code; of departments a list of names."""


def leaves(rows: Rows, *, untold: np.ndarray | None = None) -> Leaves:
    """The leaves of all samples; where `untold`, N bool, a sample stands at its own place, whatever is labelled on it."""
    hidden = np.zeros(len(rows), bool) if untold is None else untold
    table = pa.concat_tables([_alone(rows, hidden), *_stated(rows, hidden)]).combine_chunks()
    codes = {name: coded(table[name]) for name in FIELDS}
    sample = table["row"].to_numpy()
    leaf, of_leaf = _distinct(np.stack([codes[name][0] for name in FIELDS], axis=1))
    starts, held = _held(sample, leaf, len(rows))
    sets, of_sample = _sets(starts, held)
    ends = np.cumsum([0, *(len(one) for one in sets)])
    columns = {"set": of_sample, "set_start": ends, "set_leaf": np.array([code for one in sets for code in one], np.int64)}
    columns |= {f"leaf_{name}": of_leaf[:, place] for place, name in enumerate(FIELDS)}
    words: dict[str, list[Any]] = {name: codes[name][1] for name in FIELDS}
    words["departments"] = [(word or "").split(_JOINT) for word in words["departments"]]
    return Leaves(columns, words)


def _stated(rows: Rows, hidden: np.ndarray) -> Iterator[pa.Table]:
    """Of every source, a row per label state and annotation of samples that aren't hidden."""
    open_ = pa.array(~hidden)
    for source in dict.fromkeys(rows.table["source"].to_pylist()):
        path = rows.release.index_path(source, "annotations")
        table = pq.read_table(path, columns=["key", *FIELDS])
        table = table.append_column("row", pc.index_in(table["key"], value_set=rows.table["key"].combine_chunks()))
        table = table.filter(pc.is_valid(table["row"]))
        yield _joined(table.filter(open_.take(table["row"].combine_chunks())))


def _alone(rows: Rows, hidden: np.ndarray) -> pa.Table:
    """The one leaf of every sample without labels, or whose labels are hidden: its own triplet, task and department."""
    numbered = rows.table.append_column("row", pa.array(np.arange(len(rows)), pa.int32()))
    bare = numbered.filter(pc.or_(pc.equal(numbered["labels"], 0), pa.chunked_array([pa.array(hidden)])))
    none = pa.nulls(bare.num_rows, pa.string())
    fields = {name: pc.list_element(bare[column], 0) for name, column in _LISTS.items()}
    fields |= {"departments": bare["departments"], "granularity": pc.fill_null(none, "image"), "label": none, "state": none}
    return _joined(pa.table({"row": bare["row"], **fields}))


def _joined(table: pa.Table) -> pa.Table:
    departments = pc.binary_join(table["departments"], _JOINT)
    whole = {"row": table["row"].cast(pa.int64()), **{name: table[name] for name in FIELDS}, "departments": departments}
    return pa.table({name: column.cast(pa.string()) if name != "row" else column for name, column in whole.items()})


def _distinct(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of rows of codes, which distinct row each is, and the distinct rows."""
    if not codes.size:
        return np.zeros(0, np.int64), codes
    widths = codes.max(axis=0) + 1
    mixed = np.zeros(len(codes), np.int64)
    for place, width in enumerate(widths):
        mixed = mixed * width + codes[:, place]
        _, mixed = np.unique(mixed, return_inverse=True)
    _, first, leaf = np.unique(mixed, return_index=True, return_inverse=True)
    return leaf, codes[first]


def _held(sample: np.ndarray, leaf: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct leaves of all samples one after the other, sorted, and where each sample's begin."""
    most = int(leaf.max()) + 1 if leaf.size else 1
    pairs = np.unique(sample * most + leaf)
    return np.searchsorted(pairs // most, np.arange(count + 1)), pairs % most


def _sets(starts: np.ndarray, held: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """The distinct sets of leaves in the order of their first sample, and the set of every sample."""
    known: dict[bytes, int] = {}
    of_sample = np.empty(len(starts) - 1, np.int64)
    bounds = starts.tolist()
    for place in range(len(of_sample)):
        text = held[bounds[place] : bounds[place + 1]].tobytes()
        of_sample[place] = known.setdefault(text, len(known))
    return [np.frombuffer(text, np.int64).tolist() for text in known], of_sample
