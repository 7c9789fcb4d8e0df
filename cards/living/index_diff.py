"""Which samples of a source may differ between two releases, from their indexes alone.

What doesn't fit into memory goes to the temp folder. Samples in shards of the same SHA-256 are the same and never come.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...schema.published import KEYS, Mode, keys_path, mode_of
from ...schema.release import Release

ROWS_AT_ONCE = 512
MEMORY, THREADS = "512MB", 2
PLACE = ("key", "shard", "image_offset", "image_size", "json_offset", "json_size")
_COLUMNS = ("source", "split", "exclusion", "licence", "image_format", "provenance_pixel_sha256", *PLACE)
_NUMBERS = frozenset(name for name in PLACE if name.endswith(("_offset", "_size")))
_RENAMED = {old: new for new, old in KEYS.items() if new != old}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Both:
    """A sample as both indexes have it; None where one hasn't."""

    key: str
    old: Row | None
    new: Row | None


def pairs(old: Release, new: Release, source: str) -> Iterator[list[Both]]:
    """Samples that may differ, some at a time, in the order in which they lie in the new release."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="medloom-") as folder:
        settings: dict[str, Any] = {
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "threads": min(os.cpu_count() or 1, THREADS),
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET enable_progress_bar = false")
            for name, release in (("a", old), ("b", new)):
                connection.execute(f"CREATE TABLE {name}_shards (path VARCHAR, sha256 VARCHAR)")
                shards = [(one["path"], one["sha256"]) for one in (release.recipe(source) or {"shards": []})["shards"]]
                if shards:
                    connection.executemany(f"INSERT INTO {name}_shards VALUES (?, ?)", shards)
                connection.execute(f"CREATE VIEW {name} AS {_table(release, source)}")
            found = connection.execute(_QUESTION)
            while rows := found.fetchmany(ROWS_AT_ONCE):
                yield [_both(row, source) for row in rows]


def standing(release: Release, source: str) -> int:
    """Samples that a split of the release holds of a source."""
    return sum((release.recipe(source) or {"splits": {}})["splits"].values())


def _table(release: Release, source: str) -> str:
    """A query for the columns of one index, whatever it lacks."""
    path = _file(release, source)
    if path is None:
        return f"SELECT {', '.join(_null(name) for name in _COLUMNS)} WHERE false"
    there = set(pq.read_schema(path).names)
    where = str(path).replace("'", "''")
    return f"SELECT {', '.join(_column(name, there) for name in _COLUMNS)} FROM read_parquet('{where}')"


def _column(name: str, there: set[str]) -> str:
    if name in there:
        return f'"{name}"'
    return f'"{_RENAMED[name]}" AS "{name}"' if _RENAMED.get(name) in there else _null(name)


def _null(name: str) -> str:
    return f'CAST(NULL AS {"BIGINT" if name in _NUMBERS else "VARCHAR"}) AS "{name}"'


def _file(release: Release, source: str) -> Path | None:
    """The index of a source, or the table of its keys where there is no more."""
    recipe = release.recipe(source)
    if recipe is None:
        return None
    if mode_of(recipe) is Mode.RECIPE:
        release.fetch([keys_path(source)])
        return release.root / keys_path(source)
    return release.index_path(source)


def _side(name: str) -> str:
    return ", ".join(f'{name}."{column}"' for column in _COLUMNS)


_QUESTION = f"""
SELECT coalesce(a.key, b.key) AS whose, {_side("a")}, {_side("b")}
FROM a FULL JOIN b ON a.key = b.key
LEFT JOIN a_shards ON a_shards.path = a.shard
LEFT JOIN b_shards ON b_shards.path = b.shard
WHERE NOT coalesce(a.split = b.split AND a_shards.sha256 = b_shards.sha256, false)
  AND NOT coalesce(a.split = 'excluded' AND b.split = 'excluded' AND a.exclusion = b.exclusion, false)
ORDER BY b.shard NULLS FIRST, b.json_offset, a.shard, a.json_offset, whose
"""


def _both(row: tuple[Any, ...], source: str) -> Both:
    half = len(_COLUMNS)
    sides = (dict(zip(_COLUMNS, some, strict=True)) for some in (row[1 : 1 + half], row[1 + half :]))
    old, new = (None if one["key"] is None else one | {"source": source} for one in sides)
    return Both(row[0], old, new)
