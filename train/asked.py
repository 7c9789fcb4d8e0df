"""Questions with their pictures, for training and for evaluation.

asked = ReleaseAsked.open("release", suite="gmai", split="test", select={"modality": "CT"})
asked[0].question, asked[0].picture, asked[0].record
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..schema.errors import UsageError
from ..schema.load import load
from ..schema.question import NAMES, Kind, Question, question_of

if TYPE_CHECKING:
    from datasets import Dataset
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question and what it is asked about."""

    question: Question
    picture: Image
    """RGB, the stored picture with nothing drawn on it."""
    record: Mapping[str, Any]
    """The sample's record (`schema/sample.py`); a foreign benchmark's has a key, a size, and empty annotations and labels."""


class AskedSet(Protocol):
    """Questions in a fixed order; it can be pickled, and a question is read when it is asked for."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, place: int) -> Asked: ...

    def questions(self) -> Sequence[Question]:
        """All of them, without any picture being read."""
        ...

    def taken(self, places: Sequence[int]) -> AskedSet:
        """Some of them, in the order given."""
        ...


@dataclass(frozen=True)
class ReleaseAsked:
    """Questions of a suite of a release, local or on the Hub."""

    name: str
    rows: Dataset
    """As `medloom.load` gives them: reading a row reads its picture."""

    @classmethod
    def open(
        cls,
        release: str | Path,
        *,
        suite: str,
        split: str,
        config: str = "default",
        select: Mapping[str, Any] | None = None,
        kinds: Sequence[str] = (),
    ) -> ReleaseAsked:
        """The questions about the samples that the selection keeps; see `medloom.load`.

        Raises:
            ReleaseError: no release there, or the Hub can't be reached or refuses.
            UsageError: a config, split, suite, word or kind that isn't there, or nothing is left.
        """
        _known(kinds)
        rows: Any = load(release, config, split=split, suite=suite, **(select or {}))
        if kinds:
            kept = [place for place, kind in enumerate(rows.with_format(None)["kind"]) if kind in kinds]
            rows = rows.select(kept)
        if not len(rows):
            where = f"{release}: no question of {suite} in {split}{_narrowed(config, select, kinds)}"
            raise UsageError(f"{where}; expected one or more; ask for another split, or for more of it")
        return cls(f"{release}:{suite}:{split}", rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Asked:
        row = self.rows[place]
        return Asked(question_of({name: row[name] for name in NAMES}), row["image"].convert("RGB"), row["json"])

    def questions(self) -> Sequence[Question]:
        """See `AskedSet`."""
        return self._questions

    def taken(self, places: Sequence[int]) -> ReleaseAsked:
        """See `AskedSet`."""
        return ReleaseAsked(self.name, self.rows.select(places))

    @cached_property
    def _questions(self) -> list[Question]:
        plain = self.rows.with_format(None)
        return [question_of(dict(row)) for row in plain]


def _known(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in set(Kind):
            raise UsageError(f"kind {kind!r} of questions; expected one of {', '.join(Kind)}")


def _narrowed(config: str, select: Mapping[str, Any] | None, kinds: Sequence[str]) -> str:
    """What was chosen of the questions, as words."""
    told = {"config": config if config != "default" else "", **(select or {}), "kinds": ", ".join(kinds)}
    words = {name: ", ".join(word) if isinstance(word, (list, tuple)) else word for name, word in told.items()}
    chosen = "; ".join(f"{name} {word}" for name, word in words.items() if word)
    return f" of {chosen}" if chosen else ""
