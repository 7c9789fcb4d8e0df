"""A release multiplied: as many index rows as one likes, over the shards of a small release."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from medloom.schema.index import ANNOTATIONS, SAMPLES
from medloom.schema.release import Release

KEPT = 0.8
"""Share of annotation rows that a copy of a sample keeps, drawn at random: so their sets of leaves differ."""


def multiplied(release: Release, out: Path, *, samples: int, sources: int) -> Release:
    """A release of so many samples, dealt to so many sources, that are copies of those of one with a single source.

    Keys, groups and label states differ from copy to copy; pictures and records are the small release's own.
    """
    [name] = release.sources
    recipe = release.recipe(name)
    assert recipe is not None
    for path in sorted(release.root.glob("data/**/*.tar")):
        target = out / path.relative_to(release.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    (out / "README.md").touch()
    (out / "recipes").mkdir()
    tables = [pq.read_table(release.index_path(name, table)) for table in ("samples", "annotations")]
    for number in range(sources):
        count = samples // sources + (number < samples % sources)
        own = f"copy_{number:02d}"
        facts = {**recipe["facts"], "name": own, "collection": own}
        (out / f"recipes/{own}.json").write_text(json.dumps({**recipe, "facts": facts, "splits": {"train": count}}))
        _write(out / f"index/{own}", own, tables, count=count, seed=number)
    return Release.open(out)


def _write(folder: Path, source: str, tables: list[pa.Table], *, count: int, seed: int) -> None:
    folder.mkdir(parents=True)
    some, marks = tables
    random = np.random.default_rng(seed)
    rows = np.arange(count) % some.num_rows
    keys = [
        f"{source}-{value:016x}"
        for value in random.permutation(np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)).tolist()
    ]
    table = some.take(pa.array(rows))
    own = {"key": keys, "group": keys, "source": [source] * count, "collection": [source] * count}
    for name, values in own.items():
        table = table.set_column(SAMPLES.names.index(name), SAMPLES.field(name), pa.array(values, pa.string()))
    pq.write_table(table.cast(SAMPLES), folder / "samples.parquet", row_group_size=4096)
    place = {key: row for row, key in enumerate(some["key"].to_pylist())}
    of_row = np.array([place[key] for key in marks["key"].to_pylist()])
    starts, ends = np.searchsorted(of_row, rows), np.searchsorted(of_row, rows, side="right")
    taken = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
    owner = np.repeat(np.arange(count), ends - starts)
    kept = random.random(taken.size) < KEPT
    marked = marks.take(pa.array(taken[kept]))
    marked = marked.set_column(0, ANNOTATIONS.field("key"), pa.array(keys, pa.string()).take(pa.array(owner[kept])))
    pq.write_table(marked.cast(ANNOTATIONS), folder / "annotations.parquet", row_group_size=16384)
