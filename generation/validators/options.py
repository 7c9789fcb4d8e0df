"""Whether options are in order: letters, an answer among them, and no two that are one thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations
from string import ascii_uppercase

from ...schema.labels.table import table
from ...schema.question import Kind, Option, Question
from ..case import Case, listed
from ..pools import Pools, kin
from .fault import Fault
from .giveaway import CHOICES
from .naming import bag, line

_NOTHING = re.compile(r"no |none\b|normal$|healthy$", re.IGNORECASE)
_SIDES = frozenset({"left", "right"})


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Too few options, letters out of order, an answer that is none of them, options that are one thing."""
    if question.kind not in CHOICES and not question.options:
        return ()
    return _faults(question)


def _faults(question: Question) -> Iterator[Fault]:
    options = question.options
    if len(options) < 2:
        yield Fault("too-few-options", f"{len(options)} options", "two or more")
    letters = "".join([one.letter for one in options])
    if letters != ascii_uppercase[: len(options)]:
        yield Fault("bad-letters", letters or "none", ascii_uppercase[: len(options)])
    if question.answer is not None and not _answered(question):
        found = f"letters {list(question.letters)}, answer {question.answer!r:.60}"
        yield Fault("answer-not-among-options", found, "the letters or texts of right options, each once, in order")
    for one, other in combinations(options, 2):
        if one.text == other.text or _one_thing(one, other):
            yield Fault("options-synonymous", f"{one.text!r} and {other.text!r}", "options that exclude each other")


def _answered(question: Question) -> bool:
    """Whether letters and answer agree with the options; one letter for a single choice."""
    right = [one for one in question.options if one.letter in question.letters]
    if not right or tuple([one.letter for one in right]) != question.letters:
        return False
    if question.kind is Kind.SINGLE_CHOICE and len(right) != 1:
        return False
    letters, texts = question.letters, [one.text for one in right]
    if question.answer in (",".join(letters), ", ".join(letters)):
        return True
    return question.answer in (", ".join(texts), "; ".join(texts), listed(texts))


def _one_thing(one: Option, other: Option) -> bool:
    return _same(one.label_id, one.text, other.label_id, other.text)


@lru_cache(1 << 14)
def _same(one_id: str | None, one: str, other_id: str | None, other: str) -> bool:
    """Whether two options name one thing, or a thing and a kind of it, or nothing twice; left and right of it are two."""
    if _plain(one) == _plain(other) or (_NOTHING.match(one) and _NOTHING.match(other)):
        return True
    first, second = one_id or _id(one), other_id or _id(other)
    if first is None or second is None or not kin(first, second):
        return False
    sides = bag(one) & _SIDES, bag(other) & _SIDES
    return not (all(sides) and sides[0] != sides[1])


def _plain(text: str) -> str:
    """The text without case, plural and hyphens; numbers and what stands around them stay as they are."""
    return text.casefold() if any(map(str.isdigit, text)) else line(text)


def _id(text: str) -> str | None:
    found = table().sided(text)
    return None if found is None else table().id_of(found[0].name)
