"""Whether a side that stands before a label's name ("left lung") is the one that the annotations bear: the patient's."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ...schema.question import Question
from ..case import Case, Record
from ..pools import Pools
from .fault import Fault
from .giveaway import NAMING
from .naming import labels
from .passages import passages

_SIDE = re.compile(r"\b[LlRr](?:eft|ight)\b(?=[ -]\w)")
_OF_THE_IMAGE = frozenset({"image", "upper", "lower", "middle", "central", "top", "bottom"})
_SIDES = frozenset({"left", "right"})


def faults(question: Question, case: Case, pools: Pools) -> Iterator[Fault]:
    """Left where the annotations say right, in the question's name or in the answer."""
    if question.kind in NAMING and question.targets and _SIDE.search(question.question):
        annotations = case.by_id
        targets = [annotations[one] for one in question.targets if one in annotations]
        yield from _wrong(question.question, targets)
    if question.answer and _SIDE.search(question.answer):
        for passage in passages(question, case):
            yield from _wrong(passage.text, passage.annotations)


def _wrong(text: str, annotations: Collection[Record]) -> Iterator[Fault]:
    for match in _SIDE.finditer(text):
        before = text[: match.start()].rpartition(" ")[0].rpartition(" ")[2] if match.start() else ""
        name = None if before.casefold() in _OF_THE_IMAGE else labels().at(text, match.end() + 1)
        if name is None:
            continue
        known = {one["laterality"] for one in annotations if one["label_id"] == name.meant} & _SIDES
        if known and match[0].casefold() not in known:
            yield Fault("wrong-side", text[match.start() : name.end], " or ".join(sorted(known)))
