"""Records of samples and the questions about them, block by block, as the page reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ...schema.question_set import FOLDER, QuestionSet, file_of
from ...schema.release import Release
from ...schema.withheld import index_shard
from .members import contents
from .rows import Rows

_OF_SAMPLE = ("key", "source", "split")
"""Columns of a question that its sample has too."""
KEPT_FILES = 8


def records(rows: Rows, block: int) -> list[dict[str, Any]]:
    """The records of a block."""
    return [orjson.loads(body) for body in contents(rows.release, rows.block(block), "json")]


def questions(rows: Rows, block: int) -> list[list[dict[str, Any]]]:
    """For every sample of a block the questions about it, suite by suite; withheld answers aren't in there."""
    places = rows.block(block)
    found: dict[str, list[dict[str, Any]]] = {place["key"]: [] for place in places}
    for suite in rows.release.suites:
        for one in _of_suite(rows.release, suite, places):
            found[one["key"]].append({name: value for name, value in one.items() if name not in _OF_SAMPLE})
    return [found[place["key"]] for place in places]


def asked(rows: Rows) -> dict[str, set[str]]:
    """Suite → keys of the samples that it asks about; of a repository all files of questions are fetched.

    Raises:
        ReleaseError: they can't be fetched.
    """
    found = {}
    for suite in rows.release.suites:
        made = QuestionSet.open(rows.release.root, suite)
        shards = [one["shard"] for one in made.info["files"] if one["questions"]]
        rows.release.fetch([f"{FOLDER}/{suite}/{file_of(shard)}" for shard in shards])
        files = [path for path in map(made.path, shards) if path.is_file()]
        found[suite] = {key for path in files for key in pq.read_table(path, columns=["key"])["key"].unique().to_pylist()}
    return found


def _of_suite(release: Release, suite: str, places: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    made = QuestionSet.open(release.root, suite)
    for shard in dict.fromkeys(place["shard"] for place in places):
        path = made.path(index_shard(shard))
        if path.is_file():
            table, at = _file(path)
            numbers = [number for place in places if place["shard"] == shard for number in at.get(place["key"], ())]
            yield from table.take(pa.array(numbers, pa.int64())).to_pylist()


@lru_cache(KEPT_FILES)
def _file(path: Path) -> tuple[pa.Table, dict[str, list[int]]]:
    """The questions of a shard, and key → their rows: blocks of one shard are asked for one after the other."""
    table, at = pq.read_table(path), defaultdict(list)
    for number, key in enumerate(table["key"].to_pylist()):
        at[key].append(number)
    return table, dict(at)
