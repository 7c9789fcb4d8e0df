"""The published shards, made again: images from an own build, records as published where they are, in the published order."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tarfile import TarError
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...builders.build import Progress
from ...builders.deidentify import file_sha256
from ...builders.engine import Engine
from ...builders.pieces import PARQUET, Contents, Piece, Staging, join_index, pieces, write, write_all
from ...builders.shards import ShardReader
from ...schema.errors import ReleaseError
from ...schema.index import SAMPLES
from ...schema.published import Mode, records
from ...schema.record import with_split
from ...schema.shard import Place
from ...schema.shard_bytes import ShardBytes
from .compare import PLACE
from .wanted import Wanted

AT_ONCE = 512
"""Records that are fetched together."""


@dataclass(frozen=True, slots=True)
class Given:
    """A shard to write, and where its images and records are."""

    piece: Piece
    built: Path
    records: Path | None
    """The tar of its records, where pixels are withheld."""
    bytes: ShardBytes | None
    """Where the records are inside published shards; neither: own records."""


def give(task: Given) -> dict[str, Any]:
    """Write one shard and its rows of the index; what the recipe says of it. Done already: just that."""
    return write(task.piece, _contents(task))


def write_shards(
    wanted: Wanted, rows: pa.Table, built: Path, *, staging: Staging, workers: int, progress: Progress
) -> list[dict[str, Any]]:
    """Write the published shards from rows of a comparison; as a recipe lists them, sorted by path."""
    bytes_of = wanted.release.bytes if wanted.mode is Mode.FULL else None
    tasks = [Given(piece, built, wanted.records(piece.shard or ""), bytes_of) for piece in _pieces(wanted, rows, staging)]
    with Engine(workers) as engine:
        done = write_all(give, tasks, engine=engine, tell=partial(progress, "write"))
    return sorted(done, key=lambda one: one["path"])


def write_index(staging: Staging, shards: int, *, source: str, excluded: pa.Table | None) -> dict[str, str]:
    """Join the rows of all shards, then those of excluded samples; table name → SHA-256."""
    digests = join_index(staging, range(shards), source=source)
    if excluded is None or not len(excluded):
        return digests
    path = staging.release / f"index/{source}/samples.parquet"
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetFile(path) as file, pq.ParquetWriter(temporary, SAMPLES, **PARQUET) as writer:
        for group in range(file.num_row_groups):
            writer.write_table(file.read_row_group(group))
        writer.write_table(excluded)
    temporary.replace(path)
    return digests | {"samples": file_sha256(path)}


def _pieces(wanted: Wanted, rows: pa.Table, staging: Staging) -> list[Piece]:
    """The shards to write, in the order of their paths; those of which no sample is left are passed over."""
    if wanted.mode is Mode.RECIPE:
        return _dealt(wanted, rows, staging)
    found = []
    for shard in wanted.recipe["shards"]:
        some = rows.filter(pc.equal(rows["shard"], shard["path"])).combine_chunks()
        if len(some):
            found.append(Piece(len(found), staging, shard["path"], shard["split"], tuple(shard["subsets"]), some))
    return found


def _dealt(wanted: Wanted, rows: pa.Table, staging: Staging) -> list[Piece]:
    """Keys and splits alone are published: the recipe's shards where they take them all, else as a build would deal."""
    sides = defaultdict[tuple[str, ...], list[Mapping[str, Any]]](list)
    for shard in wanted.recipe["shards"]:
        sides[shard["split"], *sorted(shard["subsets"])].append(shard)
    held = Counter(zip(rows["split"].to_pylist(), rows["subsets"].to_pylist(), strict=True))
    wanting = {(split, *sorted(subsets.split("+"))): count for (split, subsets), count in held.items()}
    if wanting != {side: sum(shard["samples"] for shard in some) for side, some in sides.items()}:
        target = wanted.recipe["options"]["shard_bytes"]
        ordered = rows.sort_by("key").combine_chunks()
        return list(pieces(ordered, staging, source=wanted.source, target_bytes=target))
    found = [one for side in sides.values() for one in _taken(rows, side)]
    found.sort(key=lambda one: one[0]["path"])
    return [
        Piece(number, staging, shard["path"], shard["split"], tuple(shard["subsets"]), some)
        for number, (shard, some) in enumerate(found)
    ]


def _taken(rows: pa.Table, shards: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], pa.Table]]:
    """The shards of one split and set of subsets with their rows, in key order."""
    subsets = [one for one in pc.unique(rows["subsets"]).to_pylist() if set(one.split("+")) == set(shards[0]["subsets"])]
    mine = pc.and_(pc.is_in(rows["subsets"], pa.array(subsets)), pc.equal(rows["split"], shards[0]["split"]))
    some, first = rows.filter(mine).sort_by("key"), 0
    for shard in sorted(shards, key=lambda one: one["path"]):
        yield shard, some.slice(first, shard["samples"]).combine_chunks()
        first += shard["samples"]


def _contents(task: Given) -> Contents:
    published = _published(task)
    with ShardReader(task.built) as own:
        for batch in task.piece.rows.to_batches(AT_ONCE):
            for row in batch.to_pylist():
                image, record = own.read(row["own_shard"], row["key"], Place(*(row[name] for name in PLACE)))
                if published is None or row["own"]:
                    yield row["key"], image, with_split(record, task.piece.split, was=row["was"])
                else:
                    yield row["key"], image, _record_of(row["key"], published)


def _published(task: Given) -> Iterator[tuple[str, bytes]] | None:
    """Key and published record of each sample, in key order; None where none is published."""
    if task.records is not None:
        return records(task.records)
    return _within(task, task.bytes) if task.bytes is not None else None


def _within(task: Given, shards: ShardBytes) -> Iterator[tuple[str, bytes]]:
    """Records by their ranges in the published shard."""
    wanted = ((row["key"], (row["record_json_offset"], row["record_json_size"])) for row in _rows(task.piece))
    assert task.piece.shard is not None
    while some := list(islice(wanted, AT_ONCE)):
        bodies = shards.read(task.piece.shard, [span for _, span in some])
        yield from zip((key for key, _ in some), bodies, strict=True)


def _rows(piece: Piece) -> Iterator[dict[str, Any]]:
    for batch in piece.rows.to_batches(AT_ONCE):
        yield from batch.to_pylist()


def _record_of(key: str, published: Iterator[tuple[str, bytes]]) -> bytes:
    """The record of a key; those of samples that aren't at hand are passed over."""
    try:
        for found, record in published:
            if found == key:
                return record
    except TarError as error:
        raise ReleaseError(f"records of {key}: {error}; expected them as published; get the release again") from error
    raise ReleaseError(f"{key}: no record; expected one for each row of the index, in its order; get the release again")
