"""Questions of a part, opened for training or for evaluation, and what they are as the turns of a conversation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schema.errors import UsageError
from ...schema.load_questions import ByColumns, by_columns, in_rgb
from ...schema.question import Question
from ...schema.question_set import QuestionSet
from ...schema.release import Release
from .. import conversation as written
from ..asked import Asked, ReleaseAsked
from ..predicting.backend import SeenSize
from .arguments import Part
from .order import permutation

if TYPE_CHECKING:
    from datasets import Dataset

_LIMIT = 1 << 32
"""Stream of the rows that a limit takes; those of an epoch are far below."""
_AT_ONCE = 4096


def opened(part: Part, *, seed: int = 0) -> ReleaseAsked:
    """The part's questions in the order of the release; under a limit, as many as it says, drawn by the seed.

    Raises:
        ReleaseError: no release there, or the Hub can't be reached or refuses.
        UsageError: a config, split, suite, word or kind that isn't there, or nothing is left.
    """
    how: dict[str, Any] = {"suite": part.suite, "split": part.split, "config": part.config}
    asked = ReleaseAsked.open(part.release, **how, select=part.select, kinds=part.kinds)
    return asked.taken(limited(len(asked), part.limit, seed=seed))


def limited(rows: int, limit: int | None, *, seed: int) -> Sequence[int]:
    """Numbers of the rows that a limit leaves, rising: a larger limit takes the same ones and more."""
    if limit is None or limit >= rows:
        return range(rows)
    return sorted(permutation(rows, seed=seed, epoch=0, stream=_LIMIT)[:limit].tolist())


@dataclass(frozen=True, slots=True)
class PartRows:
    """Conversations about the questions of a part."""

    part: Part
    rows: Dataset
    columns: ByColumns
    """The same rows, read by columns."""
    style: written.Style
    seen: SeenSize | None

    @classmethod
    def open(cls, part: Part, style: written.Style, *, seen: SeenSize | None, seed: int) -> PartRows:
        """The conversations of a part.

        Raises:
            ReleaseError: no release there, or the Hub can't be reached or refuses.
            UsageError: see `opened`; or the split's answers are withheld.
        """
        release = Release.open(part.release)
        info = QuestionSet.open(release.root, part.suite, called=part.release).info
        if part.split in info["withheld"]:
            expected = "a split whose answers are there to learn from"
            raise UsageError(f"{part.release}: answers of {part.suite} in {part.split} are withheld; expected {expected}")
        rows = in_rgb(opened(part, seed=seed).rows)
        return cls(part, rows, by_columns(rows), style, seen)

    def __len__(self) -> int:
        return len(self.rows)

    def conversations(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Conversations of some rows, in the order given, with the bytes of their pictures read at once."""
        asked = map(_asked, self.columns.read(numbers))
        return _apart([written.conversation(one, self.style, seen=self.seen) for one in asked])

    def fingerprint(self) -> dict[str, Any]:
        """What the rows follow from: content of the release and its questions, selection, and a digest of their ids."""
        part, release = self.part, Release.open(self.part.release)
        info = QuestionSet.open(release.root, part.suite, called=part.release).info
        recipes = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()}
        named = {name: getattr(part, name) for name in ("suite", "split", "config", "select", "weight", "limit")}
        return {
            "release": str(release.source or Path(part.release).name),
            "content_sha256": recipes,
            "suite_digest": info["digest"],
            **named,
            "kinds": list(part.kinds),
            "rows": len(self),
            "ids_sha256": _digest(self.rows),
        }


def _asked(read: tuple[Question, dict[str, Any]]) -> Asked:
    question, sample = read
    if sample["image"] is None:
        found = f"{question.key}: its pixels are withheld"
        raise UsageError(f"{found}; expected a sample with a picture; `medloom rebuild` makes it")
    return Asked(question, sample["image"], sample["json"])


def _apart(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with pictures of their own: whoever changes one changes no other row."""
    taken: set[int] = set()
    for row in rows:
        row["images"] = [one.copy() if id(one) in taken else one for one in row["images"]]
        taken.update(map(id, row["images"]))
    return rows


def _digest(rows: Dataset) -> str:
    found = hashlib.sha256()
    plain: Any = rows.with_format("arrow").select_columns(["id"])
    for batch in plain.iter(_AT_ONCE):
        found.update("\n".join([*batch["id"].to_pylist(), ""]).encode())
    return found.hexdigest()
