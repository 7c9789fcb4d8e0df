"""Examples before a question: answered ones of another split, of the same subset and rule, and never of the same group."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...generation.chance import Chance
from ...schema.errors import UsageError
from ...schema.question import Question
from ..asked import Asked, AskedSet
from .shown import digest_of


@dataclass(frozen=True)
class Shots:
    """Where examples come from, and how many each question gets."""

    asked: AskedSet
    """Of another split, with answers."""
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"{self.count} shots; expected 1 or more")
        if not self._pools:
            raise UsageError(f"{self.asked.name}: no question with an answer; expected some for examples")

    @property
    def told(self) -> dict[str, Any]:
        """For `plan.json`."""
        name, digest = self.asked.name, digest_of(self.asked.questions())
        return {"from": name, "count": self.count, "seed": self.seed, "digest": digest}

    def of(self, asked: Asked) -> tuple[Asked, ...]:
        """The examples of a question, drawn by its id; fewer where fewer fit."""
        pool = self._pools.get(_like(asked.question), ())
        if not pool:
            return ()
        chance, found, seen = Chance("shots", self.seed, asked.question.id), list[Asked](), set[int]()
        groups = {_group(asked)}
        while len(found) < self.count and len(seen) < len(pool):
            place = pool[chance.below(len(pool))]
            if place in seen:
                continue
            seen.add(place)
            one = self.asked[place]
            if _group(one) in groups:
                continue
            groups.add(_group(one))
            found.append(one)
        return tuple(found)

    @cached_property
    def _pools(self) -> Mapping[Hashable, list[int]]:
        """Places of answered questions by what they are like."""
        found: dict[Hashable, list[int]] = {}
        for place, one in enumerate(self.asked.questions()):
            if one.answer is not None:
                found.setdefault(_like(one), []).append(place)
                if one.subset is not None:
                    found.setdefault(_like(one, open=False), []).append(place)
        return found


def _like(question: Question, *, open: bool = True) -> Hashable:
    """Suite and subset, and the form that an answer has; where a withheld answer hides the subset, the modality."""
    place = question.subset if open and question.subset is not None else ("", question.modality)
    return question.suite, place, question.kind, question.rule, question.granularity


def _group(asked: Asked) -> tuple[str, str]:
    record = asked.record
    return str(record.get("collection") or record.get("source") or ""), str(record.get("group") or asked.question.key)
