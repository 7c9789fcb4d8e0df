"""Pieces of a release: a shard and its rows of the index, written together. Builds and cuts both write by this file.

Whoever calls says which samples there are (`rows`) and hands over their bytes; where they lie, in which order, and what the
index says of them is decided here.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..schema import index
from ..schema.disk import read_json, write_json
from ..schema.errors import MedLoomError
from ..schema.sample import SPLITS
from ..schema.withdrawn import REASON as WITHDRAWN
from ..schema.withdrawn import emptied
from .deidentify import file_sha256
from .engine import Crashed, Engine
from .shards import ShardWriter, cuts, shard_count

PARQUET = {"compression": "zstd", "write_statistics": True, "store_schema": True}
ROWS_AT_ONCE = 256
ROWS_PER_GROUP = 1 << 14
LONGEST_FOLDER = 120
_TABLES = {"samples": index.SAMPLES, "annotations": index.ANNOTATIONS}
_TAR_OVERHEAD = 2048

Contents = Iterable[tuple[str, bytes, bytes]]
"""Key, image and record (with its split) of each sample, in key order."""
Tell = Callable[[int, int, int], None]
"""Called with pieces done, pieces in all, and samples so far."""


@dataclass(frozen=True, slots=True)
class Staging:
    """Where pieces go: shards and index under `release`, by their paths in a release; what joins and resumes them apart."""

    release: Path
    scraps: Path


@dataclass(frozen=True, slots=True)
class Piece:
    """The samples of one shard, or those of a source that only the index lists: enough for a worker to write them."""

    number: int
    staging: Staging
    shard: str | None
    """Path inside the release; None for samples without one."""
    split: str
    subsets: tuple[str, ...]
    rows: pa.Table
    """A row per sample in key order: key, exclusion where there is no shard, and what the caller reads them by."""


def pieces(rows: pa.Table, staging: Staging, *, source: str, target_bytes: int) -> Iterator[Piece]:
    """The shards of a source, in the order of their paths.

    `rows` are in key order and have key, split, subsets (joined by +), image_size and json_size; others go along.
    """
    combinations = pc.unique(rows["subsets"]).to_pylist()
    folders = {
        f"data/{source}/{_folder(subsets)}/" if len(combinations) > 1 else f"data/{source}/": subsets
        for subsets in combinations
    }
    number = 0
    for folder, subsets in sorted(folders.items()):
        for split in sorted(SPLITS):
            some = rows.filter(pc.and_(pc.equal(rows["subsets"], subsets), pc.equal(rows["split"], split)))
            for shard, part in _shards(some.drop_columns(["subsets", "split"]), target_bytes):
                path = f"{folder}{split}-{shard}.tar"
                yield Piece(number, staging, path, split, tuple(subsets.split("+")), part)
                number += 1


def write(piece: Piece, contents: Contents) -> dict[str, Any]:
    """Write the shard and its rows of the index; what the recipe says of it. Done already: just that."""
    mark = piece.staging.scraps / f"{piece.number:06d}.json"
    known = read_json(mark)
    if known is not None:
        return known
    mark.parent.mkdir(parents=True, exist_ok=True)
    with _IndexRows(piece) as rows:
        written = _in_shard(piece, contents, rows) if piece.shard else _in_index_alone(piece, contents, rows)
        rows.finish()
    about = {"path": piece.shard, "split": piece.split, "subsets": list(piece.subsets), "samples": len(piece.rows)}
    write_json(mark, about | written)
    return about | written


def write_all(function: Callable[[Any], dict[str, Any]], tasks: Sequence[Any], *, engine: Engine, tell: Tell) -> list[dict]:
    """What `write` said of each task (which has a `piece`), as they came.

    Raises:
        MedLoomError: a piece ended its worker twice.
    """
    done: list[dict[str, Any]] = []
    samples = 0
    for result in engine.run(function, tasks):
        if isinstance(result, Crashed):
            shard = result.task.piece.shard
            raise MedLoomError(f"writing {shard} ended its worker twice; expected a whole shard; is memory left?")
        done.append(result)
        samples += result["samples"]
        tell(len(done), len(tasks), samples)
    return done


def join_index(staging: Staging, numbers: range, *, source: str) -> dict[str, str]:
    """The rows of all pieces as two tables of the source; table name → SHA-256."""
    folder = staging.release / f"index/{source}"
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, schema in _TABLES.items():
        temporary = _temporary(folder / f"{name}.parquet")
        with pq.ParquetWriter(temporary, schema, **PARQUET) as writer:
            for some in _gathered(_scrap(staging, number, name) for number in numbers):
                writer.write_table(some)
        digests[name] = file_sha256(temporary)
        temporary.replace(folder / f"{name}.parquet")
    return digests


def _gathered(scraps: Iterable[Path]) -> Iterator[pa.Table]:
    """Row groups of many files, in order, put together until they are worth writing."""
    waiting: list[pa.Table] = []
    for scrap in scraps:
        with pq.ParquetFile(scrap) as file:
            for group in range(file.num_row_groups):
                waiting.append(file.read_row_group(group))
                if sum(map(len, waiting)) >= ROWS_PER_GROUP:
                    yield pa.concat_tables(waiting)
                    waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


class _IndexRows:
    """The index rows of one piece, written as they come: memory doesn't grow with the shard."""

    def __init__(self, piece: Piece):
        self._paths = {name: _scrap(piece.staging, piece.number, name) for name in _TABLES}
        self._writers = {name: pq.ParquetWriter(_temporary(self._paths[name]), _TABLES[name], **PARQUET) for name in _TABLES}
        self._samples: list[dict[str, Any]] = []
        self._annotations: list[tuple[Any, ...]] = []

    def __enter__(self) -> _IndexRows:
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


def _in_shard(piece: Piece, contents: Contents, rows: _IndexRows) -> dict[str, Any]:
    assert piece.shard is not None
    path = piece.staging.release / piece.shard
    path.parent.mkdir(parents=True, exist_ok=True)
    with ShardWriter(path, _temporary(path)) as shard:
        for key, image, record in contents:
            where = {**asdict(shard.add(key, image, record)), "shard": piece.shard, "exclusion": None}
            parsed = orjson.loads(record)
            rows.add(index.sample_row(parsed, where), index.annotation_rows(parsed, piece.split))
        return shard.finish()


def _in_index_alone(piece: Piece, contents: Contents, rows: _IndexRows) -> dict[str, Any]:
    """Rows of excluded samples: in the index with their reason, in no shard, their annotations nowhere."""
    for reason, (_, _, record) in zip(piece.rows["exclusion"].to_pylist(), contents, strict=True):
        row = index.sample_row(orjson.loads(record), {"split": piece.split, "exclusion": reason})
        rows.add(emptied(row) if reason == WITHDRAWN else row)
    return {}


def _shards(rows: pa.Table, target_bytes: int) -> Iterator[tuple[str, pa.Table]]:
    if not len(rows):
        return
    total = pc.sum(pc.add(rows["image_size"], rows["json_size"])).as_py() + _TAR_OVERHEAD * len(rows)
    count = shard_count(total, len(rows), target_bytes)
    for number, (first, last) in enumerate(cuts(len(rows), count)):
        yield f"{number:05d}-of-{count:05d}", rows.slice(first, last - first).combine_chunks()


def _folder(subsets: str) -> str:
    """A folder name for a set of subsets; a long one is cut, and ends in a checksum of the whole."""
    if len(subsets) <= LONGEST_FOLDER:
        return subsets
    names = subsets.split("+")
    return f"{names[0][:80]}+{len(names) - 1}-more-{zlib.crc32(subsets.encode()):08x}"


def _scrap(staging: Staging, number: int, name: str) -> Path:
    return staging.scraps / f"{number:06d}-{name}.parquet"


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")
