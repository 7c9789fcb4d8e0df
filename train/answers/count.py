"""The number that a reply states: "There are three", "3 boxes", "none"; never the number of boxes that it lists.

Rules in order; the first that reads exactly one number decides, and two different ones by the same rule are unparsed:
`only-number` (the whole reply), `stated` ("there are N", "a total of N", "number: N", "I count N"), `counted` (N before a
word in the plural, or "one"/"a single" before a word), and `none` (it says that there is nothing).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..coordinates.place import Dialect, Frame
from .declining import declined
from .final import final, reasoned
from .plain import plain
from .status import Status
from .text import NUMBERS

_N = (
    rf"(?<![\w.])(?P<number>\d+(?![\d.]*[.%/]\d|\s*%)|{'|'.join(sorted(NUMBERS, key=len, reverse=True))}|no|a single"
    rf"|a pair of)(?![\w-])"
)
_ONLY = re.compile(rf"\W*(?:(?:answer|count|number|total)\s*:?\s*)?{_N}\W*", re.IGNORECASE)
_STATED = re.compile(
    r"\b(?:there (?:is|are|'s)|total(?: of| is|:)?|(?:count|number)(?: of [\w ]{1,40}?)?(?: is|:| =)|(?:find"
    r"|found|see|count(?:ed)?|detect(?:ed)?|"
    r"locat(?:e|ed)|identif(?:y|ied)|mark(?:ed)?|show(?:s|n)?|contains?|has|have))"
    rf"\s+(?:in total |a total of |exactly |only |about |altogether )*{_N}",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"{_N}\s+(?:(?:distinct|separate|visible|bounding|single|such|of them|[a-z]+)\s+){{0,3}}?[a-z]+(?:s|ae|i|a)\b",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:only one|just one|exactly one|a single|one)\s+[a-z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Count:
    """A stated number."""

    number: int | None
    rule: str
    status: Status


def read_count(reply: str | None, *, dialect: Dialect | None = None, frame: Frame | None = None) -> Count:
    """The number that a reply states; places in the dialect are taken out before, so that none of theirs counts.

    Args:
        reply: None where none came.
        dialect: In which the reply gives places.
        frame: Of the picture; needed with a dialect.
    """
    if reply is None:
        return Count(None, "no-reply", Status.FAILED)
    text = final(reply)
    if not text:
        return Count(None, "only-reasoning" if reasoned(reply) else "no-text", Status.EMPTY)
    text = plain(dialect.bare(text, frame) if dialect is not None and frame is not None else text)
    if only := _ONLY.fullmatch(text):
        return Count(_value(only["number"]), "only-number", Status.ANSWERED)
    for rule, pattern in (("stated", _STATED), ("counted", _COUNTED)):
        numbers = {_value(found["number"]) for found in pattern.finditer(text)}
        if numbers:
            one = numbers.pop() if len(numbers) == 1 else None
            return Count(one, rule if one is not None else "several", Status.UNPARSED if one is None else Status.ANSWERED)
    if _ONE.search(text):
        return Count(1, "counted", Status.ANSWERED)
    return _unsaid(text)


def _unsaid(text: str) -> Count:
    if declined(text, Status.ABSTAINED) is not None or re.fullmatch(r"\W*none\W*", text, re.IGNORECASE):
        return Count(0, "none", Status.ANSWERED)
    if declined(text, Status.REFUSED) is not None:
        return Count(None, "refusal", Status.REFUSED)
    return Count(None, "nothing-read", Status.UNPARSED)


def _value(word: str) -> int:
    folded = word.casefold()
    special = {"no": 0, "a single": 1, "a pair of": 2}
    return special[folded] if folded in special else NUMBERS[folded] if folded in NUMBERS else int(folded)
