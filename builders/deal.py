"""Plan and deal: from the parts' rows alone to shards and index, without encoding anything again."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..schema import index
from ..schema.record import with_split
from ..schema.sample import SPLITS
from .deidentify import file_sha256
from .parts import PartReader, rows_of
from .shards import TARGET_BYTES, ShardWriter, cuts, shard_count
from .split import EXCLUDED, Fate, decide
from .workspace import read_json, write_json

PARQUET = {"compression": "zstd", "write_statistics": True, "store_schema": True}
ROWS_AT_ONCE = 256
ROWS_PER_GROUP = 1 << 14
_TABLES = {"samples": index.SAMPLES, "annotations": index.ANNOTATIONS}
_TAR_OVERHEAD = 2048
LONGEST_FOLDER = 120


@dataclass(frozen=True, slots=True)
class Hand:
    """The samples of one shard, or the excluded ones of a source: enough for a worker to deal them."""

    number: int
    source: str
    parts: Path
    staged: Path
    shard: str | None
    """Path inside the release; None for the excluded."""
    split: str
    subsets: tuple[str, ...]
    rows: pa.Table
    """key, part, offset, image_size, json_size, exclusion; in key order."""


def plan(parts: Path, numbers: range) -> tuple[pa.Table, Fate, list[str]]:
    """Every sample of the source in key order, its fate, and the keys that came twice (the first stands)."""
    rows = rows_of(parts, numbers).sort_by([("key", "ascending"), ("part", "ascending"), ("offset", "ascending")])
    keys = _codes(rows["key"])
    first = np.diff(keys, prepend=-1) != 0
    repeated = pc.unique(rows.filter(pa.array(~first))["key"]).to_pylist()
    rows = rows.filter(pa.array(first))
    fate = decide(
        groups=_codes(rows["group"]),
        shares=rows["share"].to_numpy(),
        original=rows["original_split"].to_numpy(zero_copy_only=False).astype("U"),
        pixels=_codes(rows["pixel_sha256"]),
        blank=rows["blank"].to_numpy(zero_copy_only=False).astype(bool),
    )
    return rows, fate, repeated


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """A number per distinct text, in the order in which they come: 4 bytes a row instead of the text's."""
    return column.combine_chunks().dictionary_encode().indices.to_numpy()


def hands(
    rows: pa.Table, fate: Fate, *, source: str, parts: Path, staged: Path, target_bytes: int = TARGET_BYTES
) -> Iterator[Hand]:
    """The shards to write, in the order of their paths; the excluded last."""
    rows = rows.append_column("split", pa.array(fate.split)).append_column("exclusion", pa.array(fate.reason))
    combinations = pc.unique(rows.filter(pc.not_equal(rows["split"], EXCLUDED))["subsets"]).to_pylist()
    folders = {
        f"data/{source}/{_folder(subsets)}/" if len(combinations) > 1 else f"data/{source}/": subsets
        for subsets in combinations
    }
    number = 0
    for folder, subsets in sorted(folders.items()):
        for split in sorted(SPLITS):
            some = rows.filter(pc.and_(pc.equal(rows["subsets"], subsets), pc.equal(rows["split"], split)))
            for shard, piece in _shards(some, target_bytes):
                shared = {"source": source, "parts": parts, "staged": staged, "split": split}
                path = f"{folder}{split}-{shard}.tar"
                yield Hand(number, shard=path, subsets=tuple(subsets.split("+")), rows=_lean(piece), **shared)
                number += 1
    left_out = rows.filter(pc.equal(rows["split"], EXCLUDED))
    if len(left_out):
        yield Hand(number, source, parts, staged, None, EXCLUDED, (), _lean(left_out))


def deal(hand: Hand) -> dict[str, Any]:
    """Write one shard and its pieces of the index; what the recipe says of it. Done already: just that."""
    mark = hand.staged / f"pieces/{hand.number:06d}.json"
    known = read_json(mark)
    if known is not None:
        return known
    mark.parent.mkdir(parents=True, exist_ok=True)
    with _Piece(hand) as piece, PartReader(hand.parts) as parts:
        written = _write_shard(hand, parts, piece) if hand.shard else _index_only(hand, parts, piece)
        piece.finish()
    summary = {"path": hand.shard, "split": hand.split, "subsets": list(hand.subsets), "samples": len(hand.rows), **written}
    write_json(mark, summary)
    return summary


def join_index(staged: Path, numbers: range, *, source: str) -> dict[str, str]:
    """The pieces of the index as two tables of the source; table name → SHA-256."""
    folder = staged / f"index/{source}"
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, schema in _TABLES.items():
        temporary = _temporary(folder / f"{name}.parquet")
        with pq.ParquetWriter(temporary, schema, **PARQUET) as writer:
            for some in _gathered(_piece(staged, number, name) for number in numbers):
                writer.write_table(some)
        digests[name] = file_sha256(temporary)
        temporary.replace(folder / f"{name}.parquet")
    return digests


def _gathered(pieces: Iterable[Path]) -> Iterator[pa.Table]:
    """Row groups of many pieces, in order, put together until they are worth writing."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        with pq.ParquetFile(piece) as file:
            for group in range(file.num_row_groups):
                waiting.append(file.read_row_group(group))
                if sum(map(len, waiting)) >= ROWS_PER_GROUP:
                    yield pa.concat_tables(waiting)
                    waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


class _Piece:
    """The index rows of one shard, written as they come: memory doesn't grow with the shard."""

    def __init__(self, hand: Hand):
        self._paths = {name: _piece(hand.staged, hand.number, name) for name in _TABLES}
        self._writers = {name: pq.ParquetWriter(_temporary(self._paths[name]), _TABLES[name], **PARQUET) for name in _TABLES}
        self._samples: list[dict[str, Any]] = []
        self._annotations: list[tuple[Any, ...]] = []

    def __enter__(self) -> _Piece:
        return self

    def __exit__(self, *error: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, sample: dict[str, Any], annotations: Iterable[tuple[Any, ...]] = ()) -> None:
        """Append a sample's row and those of its annotations."""
        self._samples.append(sample)
        self._annotations.extend(annotations)
        if len(self._samples) >= ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> None:
        """Write what is left, and give both tables their names."""
        self._flush()
        for name, writer in self._writers.items():
            writer.close()
            _temporary(self._paths[name]).replace(self._paths[name])

    def _flush(self) -> None:
        self._writers["samples"].write_table(index.sample_table(self._samples))
        self._writers["annotations"].write_table(index.annotation_table(self._annotations))
        self._samples, self._annotations = [], []


def _write_shard(hand: Hand, parts: PartReader, piece: _Piece) -> dict[str, Any]:
    assert hand.shard is not None
    path = hand.staged / hand.shard
    path.parent.mkdir(parents=True, exist_ok=True)
    with ShardWriter(path, _temporary(path)) as shard:
        for row in hand.rows.to_pylist():
            image, unsplit = _read(parts, row)
            record = with_split(unsplit, hand.split)
            place = {**asdict(shard.add(row["key"], image, record)), "shard": hand.shard, "exclusion": None}
            parsed = orjson.loads(record)
            piece.add(index.sample_row(parsed, place), index.annotation_rows(parsed, hand.split))
        return shard.finish()


def _index_only(hand: Hand, parts: PartReader, piece: _Piece) -> dict[str, Any]:
    """Rows of excluded samples: in the index with their reason, in no shard, their annotations nowhere."""
    for row in hand.rows.to_pylist():
        record = orjson.loads(_read(parts, row)[1])
        piece.add(index.sample_row(record, {"split": EXCLUDED, "exclusion": row["exclusion"]}))
    return {}


def _read(parts: PartReader, row: dict[str, Any]) -> tuple[bytes, bytes]:
    return parts.read(row["part"], row["offset"], image_size=row["image_size"], json_size=row["json_size"])


def _shards(rows: pa.Table, target_bytes: int) -> Iterator[tuple[str, pa.Table]]:
    if not len(rows):
        return
    total = pc.sum(pc.add(rows["image_size"], rows["json_size"])).as_py() + _TAR_OVERHEAD * len(rows)
    count = shard_count(total, len(rows), target_bytes)
    for number, (first, last) in enumerate(cuts(len(rows), count)):
        yield f"{number:05d}-of-{count:05d}", rows.slice(first, last - first)


def _lean(rows: pa.Table) -> pa.Table:
    return rows.select(["key", "part", "offset", "image_size", "json_size", "exclusion"]).combine_chunks()


def _folder(subsets: str) -> str:
    """A folder name for a set of subsets; a long one is cut, and ends in a checksum of the whole."""
    if len(subsets) <= LONGEST_FOLDER:
        return subsets
    names = subsets.split("+")
    return f"{names[0][:80]}+{len(names) - 1}-more-{zlib.crc32(subsets.encode()):08x}"


def _piece(staged: Path, number: int, name: str) -> Path:
    return staged / f"pieces/{number:06d}-{name}.parquet"


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")
