"""Releases whose shards hold questions: a third member per sample, `<key>.questions.json`, a JSON list of question rows.

`datasets` shows it as the column `questions.json`, typed by the README. The recipe's `embedded` says what the questions were
made from. A sample that nothing is asked about has an empty list.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from . import question, record
from .errors import Issue
from .published import Mode, mode_of
from .shard import QUESTIONS, questions

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Features

    from .release import Release

EMBEDDED = "embedded"
"""Entry of a recipe: what the embedded questions follow from, as `suite.json` says it, and how many there are."""


@cache
def features() -> Features:
    """Columns of a shard that holds questions: those of any shard, and the questions of each sample."""
    from datasets import Features, List

    asked = Features.from_arrow_schema(question.schema())
    return Features({**record.features(), QUESTIONS: List(dict(asked))})


def embedding_note(recipes: list[dict[str, Any]]) -> list[str]:
    """Markdown lines for the README; none where no shard holds questions."""
    found = [recipe[EMBEDDED] for recipe in recipes if EMBEDDED in recipe]
    if not found:
        return []
    name, count = found[0]["suite"]["name"], sum(one["questions"] for one in found)
    withheld = ", ".join(found[0]["withheld"])
    return [
        "\n## Questions\n",
        f"The column `{QUESTIONS}` holds the questions about each sample: {count} of the suite `{name}`.",
        *([f"Answers of {withheld} are withheld; the records still name their labels."] if withheld else []),
    ]


def faults_of(release: Release) -> Iterator[Issue]:
    """Samples whose questions aren't there, are about another one, or have other fields; counts that differ."""
    for recipe in (one for one in release.recipes() if mode_of(one) is Mode.FULL):
        count = members = 0
        for shard in recipe["shards"]:
            try:
                for where, found, asked in _members(release.root / shard["path"], shard):
                    count, members = count + asked, members + 1
                    if found:
                        yield _fault(where, found, recipe)
            except (tarfile.ReadError, OSError):
                continue  # the check of the shard tells it
        samples = sum(shard["samples"] for shard in recipe["shards"]) if EMBEDDED in recipe else 0
        if members != samples:
            where = f"data/{recipe['facts']['name']}"
            yield _fault(where, f"questions in {members} of {samples} samples", recipe)
        stated = recipe.get(EMBEDDED, {}).get("questions", 0)
        if stated != count:
            where = f"recipes/{recipe['facts']['name']}.json"
            yield _fault(where, f"{count} embedded questions where it states {stated}", recipe)


def _members(path: Path, shard: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Where, what is wrong (nothing, mostly), and the number of questions, for each sample's member."""
    for key, body in questions(path):
        where = f"{shard['path']} {key}"
        try:
            rows = orjson.loads(body)
            strange = [row for row in rows if tuple(row) != question.NAMES or row["key"] != key]
        except (ValueError, TypeError, KeyError):
            yield where, "questions that are no list of rows", 0
            continue
        yield where, "a question with other fields, or of another key" if strange else "", len(rows)


def _fault(where: str, found: str, recipe: dict[str, Any]) -> Issue:
    expected = "a list of rows as schema/question.py states" if EMBEDDED in recipe else "no questions in its shards"
    return Issue("bad-question", where, found, expected, "embed again")
