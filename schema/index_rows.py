"""The index of one source read along with its shards, a few hundred rows at a time, however long it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .index import ANNOTATIONS, SAMPLES
from .release import Release

BATCH = 256


class IndexRows:
    """Rows of both tables in the order in which they were written: shard by shard, key by key.

    Raises:
        FileNotFoundError: a table is absent.
        OSError, pa.ArrowException: a table can't be read, or has other columns.
    """

    def __init__(self, release: Release, source: str):
        self._samples, self._annotations = (release.index_path(source, name) for name in ("samples", "annotations"))
        for path, schema in ((self._samples, SAMPLES), (self._annotations, ANNOTATIONS)):
            if not pq.read_schema(path).equals(schema):
                raise pa.ArrowInvalid(f"{path.name}: other columns than schema/index.py states")
        self._later = self._annotation_rows()
        self._next = next(self._later, None)

    def of(self, shard: str) -> Iterator[dict[str, Any]]:
        """Sample rows of one shard; only its row groups are read."""
        table = pq.read_table(self._samples, filters=[("shard", "=", shard)])
        for batch in table.to_batches(BATCH):
            yield from batch.to_pylist()

    def shards(self) -> set[str]:
        """Every shard that a row names."""
        column = pq.read_table(self._samples, columns=["shard"])["shard"]
        return {shard for shard in column.unique().to_pylist() if shard is not None}

    def annotations(self, key: str) -> list[tuple[Any, ...]]:
        """Annotation rows of a sample, if they come next."""
        found = []
        while self._next is not None and self._next[0] == key:
            found.append(self._next)
            self._next = next(self._later, None)
        return found

    def _annotation_rows(self) -> Iterator[tuple[Any, ...]]:
        with pq.ParquetFile(self._annotations) as file:
            for batch in file.iter_batches(BATCH):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
