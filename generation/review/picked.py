"""Questions of a set picked at random, each with the sample that it asks about.

What is picked depends on the seed and the questions' ids alone: neither on the order of files nor on how many there are.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.parquet as pq
from PIL import Image

from ...schema.errors import ReleaseError
from ...schema.lexicon import PLACE
from ...schema.picture_rights import Hidden
from ...schema.question import Kind, Question, question_of
from ...schema.question_set import QuestionSet

if TYPE_CHECKING:
    from ...schema.release import Release


@dataclass(frozen=True)
class Asked:
    """A question with its sample."""

    question: Question
    record: Mapping[str, Any]
    """As JSON gives it: see `schema/sample.py`."""
    coded: bytes
    """The stored image as it lies in the shard."""

    @property
    def picture(self) -> Image.Image:
        """The stored image, decoded; its mode is the file's own."""
        picture = Image.open(io.BytesIO(self.coded))
        picture.load()
        return picture


def files_of(release: Release, suite: str, *, answers: Path | None = None) -> list[Path]:
    """The files of a question set, sorted; whole ones from the private folder `answers` where it holds them.

    Raises:
        UsageError: the release doesn't hold the set.
    """
    root = QuestionSet.open(release.root, suite).root
    private = None if answers is None else answers / suite
    found = [path.relative_to(root) for path in sorted(root.rglob("*.parquet"))]
    return [private / path if private is not None and (private / path).is_file() else root / path for path in found]


def counts(files: Iterable[Path]) -> dict[str, int]:
    """How many questions of each kind the files hold, in the order of `Kind`."""
    found: Counter[str] = Counter()
    for path in files:
        found.update(pq.read_table(path, columns=["kind"])["kind"].to_pylist())
    return {kind.value: found[kind.value] for kind in Kind if found[kind.value]}


def every(files: Iterable[Path]) -> Iterator[Question]:
    """All questions, file by file."""
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1 << 12):
                yield from map(question_of, batch.to_pylist())


def left_out(files: Iterable[Path], hidden: Hidden) -> dict[str, int]:
    """Source → questions about pictures that may not be shown."""
    found: Counter[str] = Counter()
    for path in files:
        columns = pq.read_table(path, columns=["source", "key"]).to_pydict()
        pairs = zip(columns["source"], columns["key"], strict=True)
        found.update(source for source, key in pairs if hidden.holds(source, key))
    return dict(sorted(found.items()))


def pick(files: Iterable[Path], *, count: int, seed: int, evenly: bool = False, hidden: Hidden | None = None) -> list[Question]:
    """Up to `count` questions of each kind, kind after kind in the order of `Kind`, each in drawn order.

    `evenly` draws from the sources in turn, where else a large one would be seen alone. Questions about `hidden` pictures are
    left out.
    """
    piles: dict[tuple[str, str], list[_Drawn]] = {}
    for path in files:
        columns = pq.read_table(path, columns=["id", "kind", "source", "key"]).to_pydict()
        for id, kind, source, key in zip(*columns.values(), strict=True):
            if hidden is not None and hidden.holds(source, key):
                continue
            piles.setdefault((kind, source if evenly else ""), []).append((_rank(seed, id), id, path))
        piles = {place: nsmallest(count, pile) for place, pile in piles.items()}
    chosen = [one for kind in Kind for one in _in_turn([pile for (of, _), pile in piles.items() if of == kind], count)]
    wanted: dict[Path, list[str]] = {}
    for _, id, path in chosen:
        wanted.setdefault(path, []).append(id)
    read = {row["id"]: row for path, ids in wanted.items() for row in _rows(path, "id", ids)}
    return [question_of(read[id]) for _, id, _ in chosen]


def asked(release: Release, questions: Sequence[Question]) -> Iterator[Asked]:
    """The questions with their samples, in the given order.

    Raises:
        ReleaseError: the release doesn't hold a sample's image.
    """
    keys: dict[str, list[str]] = {}
    for question in questions:
        keys.setdefault(question.source, []).append(question.key)
    places = {row["key"]: row for source, some in keys.items() for row in _places(release, source, some)}
    for key, group in groupby(questions, key=lambda question: question.key):
        place = places.get(key)
        if place is None or place["shard"] is None:
            raise ReleaseError(f"{release.root}: no image of {key}; expected one for every question; make the set again")
        coded, record = _members(release.root, place)
        for question in group:
            yield Asked(question, record, coded)


_Drawn = tuple[bytes, str, Path]
"""Rank, id and file."""


def _in_turn(piles: Iterable[list[_Drawn]], count: int) -> list[_Drawn]:
    """The first of each pile in the order of their ranks, then the second of each, and so on."""
    turns = sorted((turn, *one) for pile in piles for turn, one in enumerate(pile))
    return [(rank, id, path) for _, rank, id, path in turns[:count]]


def _rank(seed: int, id: str) -> bytes:
    return blake2b(f"{seed}\0{id}".encode(), digest_size=8).digest()


def _places(release: Release, source: str, keys: list[str]) -> list[dict[str, Any]]:
    path = release.index_path(source)
    return _rows(path, "key", keys, columns=list(PLACE)) if path.is_file() else []


def _rows(path: str | Path, name: str, values: list[str], *, columns: list[str] | None = None) -> list[dict[str, Any]]:
    return pq.read_table(path, columns=columns, filters=[(name, "in", sorted(set(values)))]).to_pylist()


def _members(root: Path, place: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    with (root / place["shard"]).open("rb") as shard:
        shard.seek(place["image_offset"])
        coded = shard.read(place["image_size"])
        shard.seek(place["json_offset"])
        return coded, orjson.loads(shard.read(place["json_size"]))
