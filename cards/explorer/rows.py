"""The samples of a release in the order of the page: by source, then as they lie in the shards."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.errors import ReleaseError
from ...schema.lexicon import PLACE
from ...schema.published import Mode, mode_of
from ...schema.release import Release, index_name
from ...schema.withheld import with_records

BLOCK = 16
"""Samples whose records, questions and thumbnails travel together: neighbours in a shard are seen together."""
_OF_SAMPLE = ("source", "split", "modality", "modality_detail", "licence", "collection", "group", "height_px", "width_px")
_OF_LEAF = ("labels", "areas", "tasks", "subsets", "clinical_tasks", "departments")
_OF_PIXELS = ("provenance_pixel_sha256", "provenance_perceptual_hash", "provenance_low_information")
COLUMNS = (*PLACE, *_OF_SAMPLE, *_OF_LEAF, *_OF_PIXELS)


@dataclass(frozen=True)
class Rows:
    """Samples that stand in a split, with the columns of the index that the explorer needs."""

    release: Release
    table: pa.Table

    @classmethod
    def of(cls, release: Release) -> Rows:
        """The rows of a release; of sources that publish their recipe alone there are none.

        Raises:
            ReleaseError: an index can't be read.
        """
        whole = [recipe["facts"]["name"] for recipe in release.recipes() if mode_of(recipe) is not Mode.RECIPE]
        release.fetch([index_name(name, table) for name in whole for table in ("samples", "annotations")])
        tables = [_source(release, name) for name in whole]
        table = pa.concat_tables(tables) if tables else pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
        return cls(release, table.combine_chunks())

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def blocks(self) -> int:
        """How many blocks they fill."""
        return -(-len(self) // BLOCK)

    def block(self, number: int) -> list[dict[str, Any]]:
        """The rows of a block, each with its number as `row`."""
        first = number * BLOCK
        rows = self.table.slice(first, BLOCK).to_pylist()
        return [{"row": first + place, **row} for place, row in enumerate(rows)]

    def one(self, row: int) -> dict[str, Any]:
        """One row."""
        return {"row": row, **self.table.slice(row, 1).to_pylist()[0]}

    def words(self, name: str) -> tuple[np.ndarray, list[str | None]]:
        """Codes of a column of strings, N int64, and the words they stand for, sorted; null, if any, is the last word."""
        return coded(self.table[name])

    @cached_property
    def at(self) -> dict[str, int]:
        """Key → row."""
        return {key: row for row, key in enumerate(self.table["key"].to_pylist())}

    def sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """Heights and widths in px, N int64 each."""
        return self.table["height_px"].to_numpy(), self.table["width_px"].to_numpy()


def coded(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, list[str | None]]:
    """Codes of strings, N int64, and the words they stand for, sorted; null, if any, is the last word."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = whole.dictionary_encode(null_encoding="encode")
    words: Sequence[str | None] = found.dictionary.to_pylist()
    order = sorted(range(len(words)), key=lambda place: (words[place] is None, words[place] or ""))
    rank = np.empty(len(words), np.int64)
    rank[order] = np.arange(len(words))
    return rank[found.indices.to_numpy(zero_copy_only=False)], [words[place] for place in order]


def _source(release: Release, name: str) -> pa.Table:
    path = release.index_path(name)
    try:
        table = pq.read_table(path, columns=list(COLUMNS), filters=pc.field("split") != "excluded")
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"{path}: {error}; expected the index of {name}; `medloom check` says more") from error
    return with_records(release, table.sort_by([("shard", "ascending"), ("image_offset", "ascending")]))
