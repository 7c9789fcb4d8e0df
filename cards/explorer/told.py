"""Records of samples and the questions about them, block by block, as the page reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pyarrow.parquet as pq

from ...schema.question_set import QuestionSet
from .members import contents
from .rows import Rows

_NOT_SHOWN = ("key", "source", "split")
"""Columns of a question that its sample has too."""


def records(rows: Rows, block: int) -> list[dict[str, Any]]:
    """The records of a block."""
    return [orjson.loads(body) for body in contents(rows.release, rows.block(block), "json")]


def questions(rows: Rows, block: int) -> list[list[dict[str, Any]]]:
    """For every sample of a block the questions about it, suite by suite; withheld answers aren't in there."""
    places = rows.block(block)
    found: dict[str, list[dict[str, Any]]] = {place["key"]: [] for place in places}
    for suite in rows.release.suites:
        for one in _of_suite(rows, suite, places):
            found[one["key"]].append({name: value for name, value in one.items() if name not in _NOT_SHOWN})
    return [found[place["key"]] for place in places]


def asked(rows: Rows) -> dict[str, set[str]]:
    """Suite → keys of the samples that it asks about."""
    found = {}
    for suite in rows.release.suites:
        files = sorted(QuestionSet.open(rows.release.root, suite).root.rglob("*.parquet"))
        found[suite] = {key for path in files for key in pq.read_table(path, columns=["key"])["key"].unique().to_pylist()}
    return found


def _of_suite(rows: Rows, suite: str, places: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    questions = QuestionSet.open(rows.release.root, suite)
    for shard in dict.fromkeys(place["shard"] for place in places):
        path = questions.path(shard)
        if path.is_file():
            keys = [place["key"] for place in places if place["shard"] == shard]
            yield from pq.read_table(path, filters=[("key", "in", keys)]).to_pylist()
