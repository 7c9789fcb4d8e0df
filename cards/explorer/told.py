"""Records of samples and the questions about them, block by block, as the page reads them, and which of them may be told.

A record tells an owner's labels and annotations, and a question both these and text made from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ...schema.picture_rights import PictureRights
from ...schema.question_set import FOLDER, QuestionSet, file_of
from ...schema.release import Release
from ...schema.rights import Subject
from ...schema.withheld import index_shard
from .members import contents
from .rows import Rows

_OF_SAMPLE = ("key", "source", "split")
"""Columns of a question that its sample has too."""
KEPT_FILES = 8
TOLD, ANNOTATIONS, DERIVED_TEXT = 0, 1, 2
REASONS = (
    "",
    "The owner's licence isn't known to let labels and annotations be passed on, so they aren't told here.",
    "The owner's licence isn't known to let text made from this sample be passed on, so its questions aren't told here.",
)
"""What isn't told of a sample, by the largest part: with its annotations its questions go too."""


@dataclass(frozen=True)
class Told:
    """The records and questions of a release, as far as they may be told."""

    rows: Rows
    every: bool = False
    """Whether they are told whatever their rights."""

    @cached_property
    def reasons(self) -> np.ndarray:
        """Per sample, the place in `REASONS` of why something isn't told: uint8, 0 where all is."""
        rights = PictureRights.of(self.rows.release)
        (source, sources), (licence, licences) = self.rows.words("source"), self.rows.words("licence")
        found = np.zeros((len(sources), len(licences)), np.uint8)
        for at, name in enumerate(sources):
            for to, terms in enumerate(licences):
                if not self.every:
                    found[at, to] = _refused(rights, str(name), str(terms))
        return found[source, licence]

    def records(self, block: int) -> list[dict[str, Any]]:
        """The records of a block; of samples whose annotations may not be told what the index says of any picture."""
        places = self.rows.block(block)
        open_ = [place for place in places if self.reasons[place["row"]] != ANNOTATIONS]
        told = iter(contents(self.rows.release, open_, "json"))
        return [_bare(one) if self.reasons[one["row"]] == ANNOTATIONS else orjson.loads(next(told)) for one in places]

    def questions(self, block: int) -> list[list[dict[str, Any]]]:
        """The questions about every sample of a block; none about samples of which they may not be told."""
        first = self.rows.block(block)[0]["row"]
        found = questions(self.rows, block)
        return [[] if self.reasons[first + place] else some for place, some in enumerate(found)]

    def withheld(self) -> dict[str, dict[str, int]]:
        """`records` and `questions`: source → samples of which they aren't told; only sources that have some."""
        if not self.reasons.any():
            return {"records": {}, "questions": {}}
        keys = [key for some in asked(self.rows).values() for key in some]
        about = np.zeros(len(self.rows), bool)
        about[[self.rows.at[key] for key in keys if key in self.rows.at]] = True
        counted = {"records": self.reasons == ANNOTATIONS, "questions": about & (self.reasons > 0)}
        return {what: self._by_source(which) for what, which in counted.items()}

    def _by_source(self, which: np.ndarray) -> dict[str, int]:
        source, names = self.rows.words("source")
        counts = np.bincount(source[which], minlength=len(names))
        return {str(name): int(count) for name, count in zip(names, counts, strict=True) if count}


def words(withheld: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A sentence for each kind of text that was left out: how much, of which sources, and what tells it nevertheless."""
    return [_left_out(what, counts) for what, counts in withheld.items() if counts]


def _left_out(what: str, counts: Mapping[str, int]) -> str:
    total, each = sum(counts.values()), ", ".join(f"{source} {count:,}" for source, count in counts.items())
    code = {"records": "annotations-not-granted", "questions": "derived-text-not-granted"}[what]
    of = f"{what} of {total:,} sample{'s' if total > 1 else ''} ({each})"
    told = f"a reason recorded with `medloom gate RELEASE --override {code}:SOURCE=REASON` tells them"
    return f"{of} were left out, which nobody may pass on, as far as is known; {told}"


def _refused(rights: PictureRights, source: str, licence: str) -> int:
    if not rights.granted(Subject.ANNOTATIONS, source, licence):
        return ANNOTATIONS
    return TOLD if rights.granted(Subject.DERIVED_TEXT, source, licence) else DERIVED_TEXT


def _bare(place: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of any picture, by the index: no label, annotation or text."""
    named = ("key", "source", "split", "modality", "modality_detail", "licence")
    size = {"size_hw_px": [place["height_px"], place["width_px"]]}
    lists = {name: [] for name in ("labels", "annotations", "texts")}
    return {**{name: place[name] for name in named}, "area": place["areas"][0], "task": place["tasks"][0], **size, **lists}


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
