"""Thumbnails of every picture of a release, or of a plain folder, with what else identifies them.

Those of a release are made in one pass over its shards and kept in `RELEASE.work/duplicates/`, one file per source named after
the source's content: a rebuilt source gets a new one. Those of a folder are made anew each time.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...schema.errors import DataError, Issue, ReleaseError, Severity, UsageError
from ...schema.index import SAMPLES
from ...schema.pixels import THUMBNAIL_PX, low_information, perceptual_hash, pixel_sha256, thumbnail
from ...schema.release import Release
from ..engine import Crashed, Engine
from ..formats import raster
from ..formats.signature import SUFFIXES, kind_of
from ..intensity import rule_for, to_8bit
from ..source import Reading
from .descriptor import unpacked_hex

ROWS = pa.schema([(name, pa.string()) for name in ("key", "source", "collection", "group", "split")])
Progress = Callable[[str, int, int], None]
"""Called with the stage, what is done, and all there is of it."""

_CHUNK = 128
_INDEX = (*ROWS.names, "shard", "image_offset", "image_size")
_HASHES = ("provenance_pixel_sha256", "provenance_perceptual_hash", "provenance_low_information")
_PIXELS = THUMBNAIL_PX * THUMBNAIL_PX
_SUFFIXES = frozenset(suffix for kind in raster.KINDS for suffix in SUFFIXES.get(kind, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A set of pictures in the order of their keys, their thumbnails on disk."""

    rows: pa.Table
    """Columns of `ROWS`; of a folder the key is the path in it, the group too, and the rest is null."""
    digests: np.ndarray
    """N×32 uint8: SHA-256 of the pixels."""
    hashes: np.ndarray
    """N×32 uint8: perceptual hashes."""
    blank: np.ndarray
    """Which hold too little to compare."""
    stores: tuple[np.ndarray, ...]
    """Thumbnails, n×64×64 uint8 each, mapped from files."""
    store: np.ndarray
    place: np.ndarray
    """For each picture which of the stores holds it, and where in it."""
    excluded: int = 0
    """Samples that stand in the index alone, without pixels: they take no part."""
    ignored: int = 0
    """Files of a folder that aren't pictures."""
    issues: tuple[Issue, ...] = ()

    def __len__(self) -> int:
        return len(self.place)

    def thumbnails(self, rows: np.ndarray) -> np.ndarray:
        """n×64×64 uint8 of some pictures, in the order asked for."""
        found = np.empty((len(rows), THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)
        for number, one in enumerate(self.stores):
            here = self.store[rows] == number
            found[here] = one[self.place[rows[here]]]
        return found


def of_release(release: Release, *, workers: int = 1, progress: Progress | None = None) -> Pictures:
    """All samples of a release that have pixels, by key.

    Raises:
        ReleaseError: an image can't be decoded, or the index doesn't fit the shards.
    """
    tables, stores, excluded = [], [], 0
    for source in release.indexed:
        table = pq.read_table(release.index_path(source), columns=[*_INDEX, *_HASHES])
        whole = len(table)
        table = table.filter(table["shard"].is_valid()).sort_by("key")
        excluded += whole - len(table)
        tables.append(table)
        stores.append(_kept(release, source, table, workers=workers, progress=progress))
    table = pa.concat_tables(tables) if tables else SAMPLES.empty_table()
    store = np.repeat(np.arange(len(tables)), [len(one) for one in tables])
    place = np.concatenate([np.arange(len(one)) for one in tables] or [np.zeros(0, np.int64)])
    order = np.array(sorted(range(len(table)), key=table["key"].to_pylist().__getitem__), np.int64)
    table = table.take(order)
    return Pictures(
        rows=table.select(ROWS.names),
        digests=unpacked_hex(table["provenance_pixel_sha256"].to_pylist()),
        hashes=unpacked_hex(table["provenance_perceptual_hash"].to_pylist()),
        blank=np.array(table["provenance_low_information"].to_pylist(), bool),
        stores=tuple(stores),
        store=store[order],
        place=place[order],
        excluded=excluded,
    )


def of_folder(folder: Path, *, workers: int = 1, progress: Progress | None = None) -> Pictures:
    """All pictures of a folder and its subfolders that `formats/raster.py` reads, by path; broken ones become issues.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; expected a release or a folder of pictures")
    names = sorted(_files(folder))
    spool = tempfile.TemporaryFile()  # noqa: SIM115 (the map of it outlives this function, and with it the file goes)
    read: list[dict[str, Any]] = []
    issues: list[Issue] = []
    ignored = 0
    for part in _read_folder(folder, names, workers=workers, progress=progress):
        spool.write(part["thumbnails"])
        read += part["read"]
        issues += part["issues"]
        ignored += part["ignored"]
    spool.flush()
    order = np.array(sorted(range(len(read)), key=lambda row: read[row]["name"]), np.int64)
    shape = (len(read), THUMBNAIL_PX, THUMBNAIL_PX)
    store = np.memmap(spool, np.uint8, "r", shape=shape) if read else np.zeros(shape, np.uint8)
    spool.close()
    found = [read[row] for row in order]
    paths = pa.array([one["name"] for one in found], pa.string())
    nothing = pa.nulls(len(found), pa.string())
    return Pictures(
        rows=pa.table([paths, nothing, nothing, paths, nothing], schema=ROWS),
        digests=unpacked_hex([one["sha256"] for one in found]),
        hashes=unpacked_hex([one["hash"] for one in found]),
        blank=np.array([one["blank"] for one in found], bool),
        stores=(store,),
        store=np.zeros(len(found), np.int64),
        place=order,
        ignored=ignored,
        issues=tuple(sorted(issues, key=lambda issue: (issue.where, issue.code))),
    )


def cache_of(release: Release) -> Path:
    """Where the thumbnails of a release are kept."""
    return release.work / "duplicates"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A task: some images of one shard."""

    shard: Path
    keys: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...]
    """Offset and size of each, bytes."""
    positions: tuple[int, ...]
    """Where each goes in the store."""


def _kept(release: Release, source: str, table: pa.Table, *, workers: int, progress: Progress | None) -> np.ndarray:
    """The source's thumbnails in the order of the table, from the cache if it has them."""
    content = (release.recipe(source) or {})["content_sha256"]
    path = cache_of(release) / f"{source}-{content}.npy"
    shape = (len(table), THUMBNAIL_PX, THUMBNAIL_PX)
    if not len(table):
        return np.zeros(shape, np.uint8)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            _write(temporary, shape, _stretches(release, table), workers=workers, progress=progress)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        for stale in set(path.parent.glob(f"{source}-*.npy")) - {path}:
            stale.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def _stretches(release: Release, table: pa.Table) -> Iterator[_Stretch]:
    """Tasks in the order in which the shards lie on disk."""
    columns = (table[name].to_pylist() for name in ("shard", "image_offset", "image_size", "key"))
    rows = sorted((*row, at) for at, row in enumerate(zip(*columns, strict=True)))
    for shard, group in groupby(rows, key=lambda row: row[0]):
        whole: list[Any] = list(group)
        for at in range(0, len(whole), _CHUNK):
            some = whole[at : at + _CHUNK]
            ranges = tuple((row[1], row[2]) for row in some)
            keys, positions = tuple(row[3] for row in some), tuple(row[4] for row in some)
            yield _Stretch(release.root / str(shard), keys, ranges, positions)


def _write(path: Path, shape: tuple[int, ...], tasks: Iterator[_Stretch], *, workers: int, progress: Progress | None) -> None:
    store = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    done = 0
    with Engine(workers) as engine:
        for result in engine.run(_read_stretch, tasks):
            if isinstance(result, Crashed):
                raise ReleaseError(
                    f"{result.task.shard}: decoding {result.task.keys[0]} or one of the next {len(result.task.keys) - 1} "
                    "images ends the process; expected images that can be decoded; `medloom check` names what is broken"
                )
            positions, small = result
            store[np.array(positions)] = small
            done += len(positions)
            if progress is not None:
                progress("thumbnails", done, shape[0])
    store.flush()


def _read_stretch(task: _Stretch) -> tuple[tuple[int, ...], np.ndarray]:
    """Positions and thumbnails, n×64×64 uint8."""
    found = np.empty((len(task.keys), THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)
    with task.shard.open("rb") as stream:
        for row, (key, (offset, size)) in enumerate(zip(task.keys, task.ranges, strict=True)):
            stream.seek(offset)
            found[row] = thumbnail(_decoded(stream.read(size), f"{task.shard.name} {key}"))
    return task.positions, found


def _decoded(coded: bytes, where: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(coded)) as image:
            return np.array(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except raster.PILLOW_FAULTS as error:
        raise ReleaseError(f"{where}: {error}; expected an image where the index says; `medloom check` tells more") from error


def _files(folder: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file():
                yield path.relative_to(folder).as_posix()


def _read_folder(folder: Path, names: Sequence[str], *, workers: int, progress: Progress | None) -> Iterator[dict[str, Any]]:
    chunks = [(folder, tuple(names[at : at + _CHUNK])) for at in range(0, len(names), _CHUNK)]
    done, alone = 0, []
    with Engine(workers) as engine:
        while chunks:
            for result in engine.run(_read_files, chunks):
                if isinstance(result, Crashed):
                    _, some = result.task
                    if len(some) > 1:
                        alone += [(folder, (name,)) for name in some]
                        continue
                    result = {"thumbnails": b"", "read": [], "issues": [_crash(some[0])], "ignored": 0, "files": 1}
                done += result["files"]
                if progress is not None:
                    progress("thumbnails", done, len(names))
                yield result
            chunks, alone = alone, []


def _crash(name: str) -> Issue:
    found, expected = "it ended the process that read it", "a file that can be decoded"
    return Issue("crash", name, found, expected, "it was left out", Severity.ERROR)


def _read_files(task: tuple[Path, tuple[str, ...]]) -> dict[str, Any]:
    """Thumbnails' bytes, what identifies each picture, issues, and how many files are no pictures."""
    folder, names = task
    small, read, issues, ignored = [], [], [], 0
    for name in names:
        try:
            if not _is_picture(folder / name):
                ignored += 1
                continue
            pixels = _pixels(folder / name)
        except (DataError, OSError) as error:
            issues.append(_issue(error, name))
            continue
        one = thumbnail(pixels)
        small.append(one.tobytes())
        read.append({"name": name, "sha256": pixel_sha256(pixels), "hash": perceptual_hash(one), "blank": low_information(one)})
    thumbnails = b"".join(small)
    assert len(thumbnails) == _PIXELS * len(read)
    return {"thumbnails": thumbnails, "read": read, "issues": issues, "ignored": ignored, "files": len(names)}


def _is_picture(path: Path) -> bool:
    """By content or, so that an empty or broken one is told of, by suffix."""
    with path.open("rb") as stream:
        return kind_of(stream.read(16)) in raster.KINDS or path.suffix.lower() in _SUFFIXES


def _pixels(path: Path) -> np.ndarray:
    """H×W or H×W×3 uint8, as a build would store them. What doesn't stop the reading is no news to who compares."""
    reading = Reading()
    (picture,) = raster.read([path], reading=reading, report=lambda _: None)
    return to_8bit(picture.pixels, rule_for(picture.pixels, values=picture.values, window=None, reading=reading))


def _issue(error: DataError | OSError, name: str) -> Issue:
    if isinstance(error, DataError):
        return replace(error.issue(), where=name)
    return Issue("unreadable", name, str(error.strerror or error), "a file that can be read", "it was left out", Severity.ERROR)
