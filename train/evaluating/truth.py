"""Withheld answers joined with the questions that are published without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...schema.errors import UsageError
from ...schema.question import Question, question_of
from ...schema.question_set import INFO
from ..asked import Asked, AskedSet


@dataclass(frozen=True, slots=True)
class Answered:
    """Questions of which some come whole from where their answers are kept."""

    asked: AskedSet
    whole: Mapping[str, Question]
    """By id."""

    @property
    def name(self) -> str:
        """See `AskedSet`."""
        return self.asked.name

    def __len__(self) -> int:
        return len(self.asked)

    def __getitem__(self, place: int) -> Asked:
        one = self.asked[place]
        return replace(one, question=self.whole.get(one.question.id, one.question))

    def questions(self) -> Sequence[Question]:
        """See `AskedSet`."""
        return [self.whole.get(one.id, one) for one in self.asked.questions()]

    def taken(self, places: Sequence[int]) -> Answered:
        """See `AskedSet`."""
        return Answered(self.asked.taken(places), self.whole)


def withheld(asked: AskedSet) -> int:
    """How many of the questions have no answer."""
    return sum(one.answer is None for one in asked.questions())


def answered(asked: AskedSet, folder: Path) -> Answered:
    """The questions with the answers of a folder, as `medloom ask --withhold-answers` keeps them (`answers/`, or a suite's).

    Raises:
        UsageError: the folder has no answers to these questions, or is about others.
    """
    import pyarrow.parquet as pq

    open_ids = {one.id: one for one in asked.questions() if one.answer is None}
    found: dict[str, Question] = {}
    files = sorted(path for info in folder.rglob(INFO) for path in info.parent.rglob("*.parquet"))
    for path in files if open_ids else ():
        rows = pq.read_table(path, filters=[("id", "in", list(open_ids))])
        found |= {row["id"]: question_of(row) for row in rows.to_pylist()}
    missing = len(open_ids) - len(found)
    if missing:
        raise UsageError(f"{folder}: no answer to {missing} of {len(open_ids)} questions of {asked.name}; expected all of them")
    for id, one in found.items():
        if (one.question, one.key) != (open_ids[id].question, open_ids[id].key):
            raise UsageError(f"{folder}: {id} asks something else than {asked.name}; expected the answers of the same `ask`")
    return Answered(asked, found)
