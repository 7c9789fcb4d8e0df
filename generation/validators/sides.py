"""Whether a side that stands before a label's name ("left lung") is the one that the annotations bear: the patient's."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ...schema.question import Question
from ..case import Case, Record
from ..pools import Pools
from .fault import Fault
from .giveaway import NAMING
from .naming import mentions
from .passages import passages
from .place import by_id

_ANY = re.compile(r"\b(?:left|right)\b", re.IGNORECASE)
_BEFORE = re.compile(r"(?:\b(\w+)[ -])?\b(left|right)[ -]$", re.IGNORECASE)
_OF_THE_IMAGE = frozenset({"image", "upper", "lower", "middle", "central", "top", "bottom"})
_SIDES = frozenset({"left", "right"})


def faults(question: Question, case: Case, pools: Pools) -> Iterator[Fault]:
    """Left where the annotations say right, in the question's name or in the answer."""
    if question.kind in NAMING and question.targets and _ANY.search(question.question):
        annotations = by_id(case)
        targets = [annotations[one] for one in question.targets if one in annotations]
        yield from _wrong(question.question, targets)
    if question.answer and _ANY.search(question.answer):
        for passage in passages(question, case):
            yield from _wrong(passage.text, passage.annotations)


def _wrong(text: str, annotations: Collection[Record]) -> Iterator[Fault]:
    for mention in mentions(text):
        before = _BEFORE.search(text[: mention.start])
        if before is None or (before[1] or "").casefold() in _OF_THE_IMAGE:
            continue
        side = before[2].casefold()
        known = {one["laterality"] for one in annotations if one["label_id"] == mention.label_id}
        if known & _SIDES and side not in known:
            yield Fault("wrong-side", text[before.start(2) : mention.end], f"{' or '.join(sorted(known & _SIDES))}")
