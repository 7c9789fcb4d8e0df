"""What a protocol decided: who is used for what, on which side, and why the others aren't."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..sample import SPLITS

ITEMS = pa.schema(
    [(name, pa.string()) for name in ("key", "split", "subset", "clinical_task", "granularity", "label", "label_id")]
)
"""One row per use: a sample serves several labels, and maybe several subsets. What a protocol doesn't speak of is null."""

Row = dict[str, Any]
_LINES = 65536


@dataclass(frozen=True, eq=False)
class Outcome:
    """The uses of a release's samples under one protocol, the same whatever the order of the rows it was made from."""

    name: str
    items: pa.Table
    """Columns of `ITEMS`, sorted by all of them; a key has one split throughout."""
    options: Mapping[str, Any]
    """Name, seed and every other option."""
    table: tuple[Row, ...] = ()
    """For people: one row per branch of the protocol, all with the same columns."""
    details: tuple[Row, ...] = ()
    """The same per label, for files and for those who ask why."""
    notes: tuple[str, ...] = field(default=())
    """Sentences on what was left out."""

    def splits(self) -> pa.Table:
        """Columns key and split, each key once, sorted by key."""
        distinct = self.items.group_by(["key", "split"]).aggregate([]).select(["key", "split"])
        return distinct.sort_by("key")

    def counts(self) -> dict[str, int]:
        """Samples per split, in the order train, validation, test."""
        found = pc.value_counts(self.splits()["split"]).to_pylist()
        by_split = {one["values"]: one["counts"] for one in found}
        return {split: by_split.get(split, 0) for split in SPLITS}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the sorted items as tab-separated lines, null as nothing, for comparing two runs."""
        whole = hashlib.sha256()
        for batch in self.items.to_batches(max_chunksize=_LINES):
            columns = [batch.column(name) for name in ITEMS.names]
            lines = pc.binary_join_element_wise(*columns, "\t", null_handling="replace", null_replacement="")
            whole.update("".join(f"{line}\n" for line in lines.to_pylist()).encode())
        return whole.hexdigest()


def sorted_items(**columns: pa.Array | pa.ChunkedArray | pa.Scalar) -> pa.Table:
    """An items table of the given columns, the others null, sorted by all; `key` and `split` must be there."""
    length = len(columns["key"])
    arrays = [_column(columns.get(name), length) for name in ITEMS.names]
    return pa.table(arrays, schema=ITEMS).sort_by([(name, "ascending") for name in ITEMS.names]).combine_chunks()


def _column(values: Any, length: int) -> Any:
    if values is None:
        return pa.nulls(length, pa.string())
    return pa.repeat(values, length) if isinstance(values, pa.Scalar) else values.cast(pa.string())
