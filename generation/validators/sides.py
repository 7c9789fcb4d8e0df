"""Whether a side that stands before a label's name ("left lung") is the one that the annotations bear: the patient's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ...schema.question import Question
from ..case import Case, Record
from ..pools import Pools
from .fault import Fault
from .giveaway import NAMING
from .saying import Sided, said

_SIDES = frozenset({"left", "right"})


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Left where the annotations say right, in the name of what a question asks for; answers are `claims`'s."""
    if question.kind not in NAMING or not question.targets or not (sides := said(question.question).sides):
        return ()
    return wrong(sides, [case.by_id[one] for one in question.targets if one in case.by_id])


def wrong(sides: Iterable[Sided], annotations: Collection[Record]) -> Iterator[Fault]:
    """Sides on which none of some annotations of the label lies."""
    for one in sides:
        known = {each["laterality"] for each in annotations if each["label_id"] == one.label_id} & _SIDES
        if known and one.side not in known:
            yield Fault("wrong-side", one.words, " or ".join(sorted(known)))
