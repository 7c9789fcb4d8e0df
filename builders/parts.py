"""Parts: what the read stage leaves on disk, so that an interrupted build goes on where it stopped.

A part is three files: `.bin` (image and record of every sample, one after the other), `.arrow` (a row per sample: all
that the plan needs) and `.json` (counts and issues). The last is written last, and is the mark that the part is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from ..schema.record import to_json
from .read import Encoded

ROWS = pa.schema(
    [
        ("key", pa.string()),
        ("group", pa.string()),
        ("share", pa.float64()),
        ("original_split", pa.string()),
        ("pixel_sha256", pa.string()),
        ("blank", pa.bool_()),
        ("subsets", pa.string()),
        ("offset", pa.int64()),
        ("image_size", pa.int64()),
        ("json_size", pa.int64()),
    ]
)


@dataclass(slots=True)
class PartWriter:
    """Writes one part under temporary names; `finish` gives it its own."""

    folder: Path
    number: int
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    _offset: int = 0
    _stream: BinaryIO | None = None

    def __enter__(self) -> PartWriter:
        self._stream = self._path("bin.tmp").open("wb")
        return self

    def __exit__(self, *error: object) -> None:
        assert self._stream is not None
        self._stream.close()

    def add(self, encoded: Encoded, share: float) -> None:
        """Append a sample; `share` is where its group falls for hashed splits."""
        assert self._stream is not None
        sample, record = encoded.sample, to_json(encoded.sample)
        self._stream.write(encoded.image)
        self._stream.write(record)
        provenance = sample.provenance
        place = self._offset, len(encoded.image), len(record)
        facts = sample.key, sample.group, share, sample.original_split or "", provenance.pixel_sha256
        self.rows.append((*facts, provenance.low_information, "+".join(sample.subsets), *place))
        self._offset += len(encoded.image) + len(record)

    def mark(self) -> tuple[int, int]:
        """A place to go back to."""
        return len(self.rows), self._offset

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget the samples added since the mark: a unit is kept whole or not at all."""
        assert self._stream is not None
        del self.rows[mark[0] :]
        self._offset = mark[1]
        self._stream.seek(self._offset)
        self._stream.truncate()

    def finish(self, summary: dict[str, Any]) -> None:
        """Give the part its name; `summary` is what its `.json` holds beside sizes."""
        assert self._stream is not None
        self._stream.flush()
        columns = list(zip(*self.rows, strict=True)) if self.rows else [[] for _ in ROWS]
        table = pa.table([pa.array(column, type=kind.type) for column, kind in zip(columns, ROWS, strict=True)], schema=ROWS)
        with pa.OSFile(str(self._path("arrow.tmp")), "wb") as sink, pa.ipc.new_file(sink, ROWS) as writer:
            writer.write_table(table)
        self._path("json.tmp").write_text(json.dumps({**summary, "bytes": self._offset, "samples": len(self.rows)}))
        for kind in ("bin", "arrow", "json"):
            self._path(f"{kind}.tmp").replace(self._path(kind))

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self.number:06d}.{kind}"


def summary_of(folder: Path, number: int) -> dict[str, Any] | None:
    """The summary of a whole part, None where it isn't whole."""
    mark = folder / f"{number:06d}.json"
    if not mark.exists():
        return None
    summary = json.loads(mark.read_text())
    stored = folder / f"{number:06d}.bin"
    return summary if stored.exists() and stored.stat().st_size == summary["bytes"] else None


def rows_of(folder: Path, numbers: range) -> pa.Table:
    """The rows of all parts, with their part's number, in order."""
    tables = []
    for number in numbers:
        with pa.memory_map(str(folder / f"{number:06d}.arrow")) as source:
            table = pa.ipc.open_file(source).read_all()
        tables.append(table.append_column("part", pa.array(np.full(len(table), number), pa.int32())))
    return pa.concat_tables(tables) if tables else ROWS.append(pa.field("part", pa.int32())).empty_table()


class PartReader:
    """Images and records of parts by place; keeps the files open while it lives."""

    def __init__(self, folder: Path):
        self._folder, self._open = folder, dict[int, int]()

    def __enter__(self) -> PartReader:
        return self

    def __exit__(self, *error: object) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def read(self, part: int, offset: int, *, image_size: int, json_size: int) -> tuple[bytes, bytes]:
        """Image and record that begin at `offset`."""
        if part not in self._open:
            self._make_room()
            self._open[part] = os.open(self._folder / f"{part:06d}.bin", os.O_RDONLY)
        both = os.pread(self._open[part], image_size + json_size, offset)
        return both[:image_size], both[image_size:]

    def _make_room(self) -> None:
        if len(self._open) >= 256:
            os.close(self._open.pop(next(iter(self._open))))


def chunks_of(units: Iterator[tuple[Any, int]], *, max_units: int, max_bytes: int) -> Iterator[list[Any]]:
    """Units with their raw sizes, in order, in chunks that are small enough to share out and large enough to be few."""
    chunk: list[Any] = []
    size = 0
    for unit, raw_bytes in units:
        if chunk and (len(chunk) >= max_units or size + raw_bytes > max_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(unit)
        size += raw_bytes
    if chunk:
        yield chunk
