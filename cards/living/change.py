"""One change between two releases, and the table in which changes go to disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "key", "kind", "what", "old", "new")),
        ("iou", pa.float64()),
    ]
)
ROWS_AT_ONCE = 4096


class Kind(StrEnum):
    """What kind of change it is."""

    ADDED = "added"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"
    EXCLUDED = "excluded"
    """It stood in a split, or wasn't known, and is in the index alone now; or the reason is another."""
    RETURNED = "returned"
    """It was excluded and stands in a split now."""
    MOVED = "moved"
    """To another split."""
    PIXELS = "pixels"
    RECODED = "recoded"
    """The same pixels in other bytes or another format."""
    LABEL = "label"
    """State or value."""
    REGION_ADDED = "region-added"
    REGION_REMOVED = "region-removed"
    REGION_CHANGED = "region-changed"
    """Another place or shape; `iou` says how much is shared."""
    REGION_RELABELLED = "region-relabelled"
    FIELD = "field"
    """Any other field of the record."""


WEIGHTS = {
    Kind.PIXELS: 2.0,
    Kind.LABEL: 0.5,
    Kind.REGION_ADDED: 1.0,
    Kind.REGION_REMOVED: 1.0,
    Kind.REGION_RELABELLED: 1.0,
}
"""How much a change makes a sample worth looking at; a changed region weighs what it doesn't share."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a diff."""

    source: str
    key: str
    kind: Kind
    what: str | None = None
    """Label, region's label and granularity, or path of a field."""
    old: str | None = None
    new: str | None = None
    iou: float | None = None
    """Of a changed region, 0 to 1: of masks where both are, else of boxes; None for points."""

    @property
    def weight(self) -> float:
        """What it adds to its sample's rank among those to look at."""
        return 1 - (self.iou or 0.0) if self.kind is Kind.REGION_CHANGED else WEIGHTS.get(self.kind, 0.0)


class Changes:
    """Writes changes to a Parquet file as they come."""

    def __init__(self, path: Path):
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        self._waiting: list[Change] = []

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *error: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, changes: Iterable[Change]) -> None:
        """Append some."""
        self._waiting.extend(changes)
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            columns = zip(*map(astuple, self._waiting), strict=True)
            arrays = [pa.array(map(_plain, column), field.type) for column, field in zip(columns, SCHEMA, strict=True)]
            self._writer.write_table(pa.table(arrays, schema=SCHEMA))
            self._waiting = []


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Kind) else value


def rows_of(table: Path) -> list[dict[str, Any]]:
    """All changes of a file, as dicts."""
    return pq.read_table(table).to_pylist()


def written_as(table: Path, out: Path) -> None:
    """Copy a file of changes to a name that ends in .parquet or .csv; it appears whole or not at all."""
    from pyarrow import csv

    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.tmp")
    if out.suffix == ".parquet":
        shutil.copyfile(table, temporary)
    else:
        with pq.ParquetFile(table) as file, csv.CSVWriter(temporary, SCHEMA) as writer:
            for batch in file.iter_batches():
                writer.write_batch(batch)
    temporary.replace(out)
