"""The columns of all samples, as the page filters them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .leaves import leaves
from .packing import column_pack, json_pack
from .rows import Rows
from .sights import REASONS, Sights
from .told import ANNOTATIONS, Told, asked
from .told import REASONS as UNTOLD

BY_ROW = ("source", "split", "modality", "modality_detail", "licence")


def index_pack(sights: Sights, told: Told) -> bytes:
    """`data/index.pack`: a code per sample for every column, the leaves, and the words of all codes."""
    rows = sights.rows
    columns: dict[str, np.ndarray] = {}
    words: dict[str, Any] = {"reasons": list(REASONS.values()), "untold": list(UNTOLD)}
    for name in BY_ROW:
        columns[name], words[name] = rows.words(name)
    columns["suites"], words["suites"] = suite_sets(rows, asked(rows))
    columns["height_px"], columns["width_px"] = rows.sizes()
    columns["reason"], columns["untold"] = sights.reasons, told.reasons
    tree = leaves(rows, untold=told.reasons == ANNOTATIONS)
    return column_pack(columns | tree.columns, words | tree.words)


def keys_pack(rows: Rows) -> bytes:
    """`data/keys.pack`: the keys in the order of the rows."""
    return json_pack(rows.table["key"].to_pylist())


def suite_sets(rows: Rows, asked: Mapping[str, Iterable[str]]) -> tuple[np.ndarray, list[list[str]]]:
    """The set of suites that ask about each sample: codes, and the names in each set."""
    masks = np.zeros(len(rows), np.int64)
    for place, keys in enumerate(asked.values()):
        numbers = [rows.at[key] for key in keys if key in rows.at]
        masks[numbers] |= 1 << place
    found, codes = np.unique(masks, return_inverse=True)
    names = list(asked)
    return codes, [[name for place, name in enumerate(names) if mask >> place & 1] for mask in found.tolist()]
