"""Samples read per second by every reader, against walking the tars raw."""

from __future__ import annotations

import io
import shutil
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import datasets
import numpy as np
import webdataset
from PIL import Image

import medloom
from benchmarks.synthetic import draw_photographs, draw_volumes, write_source
from medloom.builders.build import Options, build

REPEATS = 3


def speed(folder: Path) -> list[dict[str, Any]]:
    """Each reader over the train split, with images decoded; raw tar reading, which decodes nothing, is 1."""
    datasets.disable_progress_bars()
    rows = []
    for kind, raw in (
        ("volumes", draw_volumes(folder / "read-ct", count=8, slices=48)),
        ("photographs", draw_photographs(folder / "read-jpeg", count=1000)),
    ):
        release = folder / f"read-{kind}"
        build(str(write_source(folder, kind)), raw, release, options=Options(workers=2, shard_bytes=16 << 20))
        shards = sorted(str(path) for path in release.rglob("train-*.tar"))
        readers: dict[str, Callable[[], Iterable[Any]]] = {
            "raw tar": lambda shards=shards: _raw(shards),
            "raw tar and decode": lambda shards=shards: (np.asarray(_opened(image)) for image in _images(shards)),
            "datasets, streaming": lambda release=release: _streamed(release),
            "webdataset": lambda shards=shards: _webdataset(shards),
            "medloom.load, streaming": lambda release=release: medloom.load(release, split="train", streaming=True),
            "medloom.load, map-style": lambda release=release: medloom.load(release, split="train"),
        }
        times = {name: median(_seconds_per_sample(read) for _ in range(REPEATS)) for name, read in readers.items()}
        rows += [
            {"what": f"{kind}: {name} / raw tar", "ratio": times["raw tar"] / seconds, "note": "speed"}
            for name, seconds in times.items()
        ]
        shutil.rmtree(release)
    return rows


def _seconds_per_sample(read: Callable[[], Iterable[Any]]) -> float:
    start, count = time.perf_counter(), 0
    for row in read():
        if isinstance(row, dict):
            np.asarray(row["image"])
        count += 1
    return (time.perf_counter() - start) / count


def _raw(shards: list[str]) -> Iterable[bytes]:
    return (body for name, body in _members(shards) if name.endswith(".json"))


def _images(shards: list[str]) -> Iterable[bytes]:
    return (body for name, body in _members(shards) if name.endswith(".image"))


def _members(shards: list[str]) -> Iterable[tuple[str, bytes]]:
    for shard in shards:
        with tarfile.open(shard) as tar:
            for member in tar:
                body = tar.extractfile(member)
                if body is not None:
                    yield member.name, body.read()


def _streamed(release: Path) -> Iterable[dict[str, Any]]:
    return datasets.load_dataset(str(release), split="train", streaming=True)


def _webdataset(shards: list[str]) -> Iterable[dict[str, Any]]:
    return webdataset.WebDataset(shards, shardshuffle=False).decode(webdataset.handle_extension("image", _opened))


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
