"""The explorer as files that any file server hands out: the same data, thumbnails on sheets, images as they are stored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import orjson

from ...schema.errors import UsageError
from .about import about
from .index import index_pack, keys_pack
from .packing import json_pack
from .page_files import page_files, plotly
from .pairs import pairs
from .sights import Sights
from .told import Told

MARK = "data/release.json"
"""By this we know a folder that we wrote."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    folder: Path
    samples: int
    pictures: int
    """Samples whose picture is there."""
    withheld: dict[str, int]
    """Source → samples whose picture was left out."""
    untold: dict[str, dict[str, int]]
    """`records` and `questions`: source → samples of which they were left out."""
    files: int
    bytes: int


def write(
    sights: Sights, told: Told, folder: Path, *, images: bool = True, workers: int = 1, progress: Progress | None = None
) -> Written:
    """Write the explorer into a folder, which appears whole or not at all; one that we wrote before is replaced.

    Args:
        sights: The pictures of the release, as far as they are shown.
        told: Its records and questions, as far as they are told.
        folder: Where the page goes; its parent is made.
        images: Whether stored images are written beside the thumbnails.
        workers: Threads that read and scale pictures.
        progress: Called with blocks done and blocks in all.

    Raises:
        UsageError: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UsageError(f"{folder}: holds other files; expected an empty folder, or an explorer to replace")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    blocks = sights.rows.blocks
    for path, body in _whole(sights, told, images=images):
        _put(partial / path, body)
    shutil.copyfile(plotly(), partial / "plotly.min.js")
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(lambda block: _block(sights, told, block, folder=partial, images=images), range(blocks))
        for number, _ in enumerate(done, start=1):
            if progress is not None:
                progress(number, blocks)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
    return _written(sights, told, folder)


def _whole(sights: Sights, told: Told, *, images: bool) -> Iterator[tuple[str, bytes]]:
    rows = sights.rows
    for name, (body, _) in page_files().items():
        yield name, body
    yield "data/index.pack", index_pack(sights, told)
    yield "data/keys.pack", keys_pack(rows)
    yield "data/pairs.pack", json_pack(pairs(rows).as_json())
    yield MARK, orjson.dumps(about(sights, told, sheets=True, images=images))


def _block(sights: Sights, told: Told, block: int, *, folder: Path, images: bool) -> None:
    _put(folder / f"records/{block}.pack", json_pack(told.records(block)))
    _put(folder / f"questions/{block}.pack", json_pack(told.questions(block)))
    sheet = sights.sheet(block)
    if sheet is not None:
        _put(folder / f"sprites/{block}.jpg", sheet)
    for place in sights.rows.block(block) if images else ():
        stored = sights.stored(place["row"])
        if stored is not None:
            _put(folder / f"images/{place['row']}", stored[0])


def _put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def _written(sights: Sights, told: Told, folder: Path) -> Written:
    files = [path for path in folder.rglob("*") if path.is_file()]
    withheld = sights.withheld()
    size = sum(path.stat().st_size for path in files)
    count = len(sights.rows)
    return Written(folder, count, count - sum(withheld.values()), withheld, told.withheld(), len(files), size)
