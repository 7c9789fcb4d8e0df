"""What is seen on a sample, as people speak of it: each label once, with its sides, and what is known of it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from ...schema.labels.table import table
from ...schema.triplet import MODALITIES
from ..case import Case, Record
from ..pools import kin
from ..regions.marked import Marked, marked
from .knowledge import Fact, Known, knowledge

FINEST = ("mask", "box", "point")
"""Granularities of regions, the one that says most first; contours count as masks."""
SIDES = ("left", "right")
_ONE_EYE = ("FP", "OCT", "OP")
"""Modalities whose picture shows one eye: a side on it is the eye's."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A label that is present and has regions, all of one granularity."""

    label: str
    label_id: str
    granularity: str
    parts: Sequence[Marked]
    """One per side."""
    known: Known | None

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all annotations."""
        return tuple([one for part in self.parts for one in part.ids])


@cache
def one_eye(modality: str) -> bool:
    """Whether a picture of this modality shows one eye alone."""
    return MODALITIES.root(modality).code in _ONE_EYE


def called(one: Record, modality: str) -> str:
    """The name of a state or annotation with the patient's side, but for pictures of one eye: "left lung"."""
    sided = one["laterality"] in SIDES and not one_eye(modality)
    return f"{one['laterality']} {one['label']}" if sided else one["label"]


@lru_cache(2)
def seen(case: Case) -> Sequence[Seen]:
    """Labels with regions, in the order of the record's states; of a side with coarser regions only the finer one is kept."""
    by_label: dict[str, list[Marked]] = {}
    for one in marked(case, FINEST):
        by_label.setdefault(one.state["label_id"], []).append(one)
    return tuple([_seen(parts) for parts in by_label.values()])


def complete(one: Seen, case: Case) -> bool:
    """Whether no region of the label can be missing: no side of it is uncertain, nor unknown where people have two."""
    states = [state for state in case.states if state["label_id"] == one.label_id]
    marked_sides = {part.state["laterality"] for part in one.parts}
    if any(state["state"] != "absent" and state["laterality"] not in marked_sides for state in states):
        return False
    sides = {state["laterality"] for state in states}
    paired = one.known is not None and one.known.pair and not one_eye(case.modality)
    return not paired or not sides & {*SIDES} or sides >= {*SIDES}


@lru_cache(2)
def facts(case: Case) -> dict[str, tuple[Fact, ...]]:
    """Label id → the facts that are true of it alone among all labels that may be on the image."""
    may_be = frozenset([one["label_id"] for one in case.states if one["state"] != "absent"])
    return _facts(may_be, case.modality)


@lru_cache(1 << 12)
def _facts(may_be: frozenset[str], modality: str) -> dict[str, tuple[Fact, ...]]:
    known = knowledge()
    found = {one: _own(known[one], may_be - {one}, modality) for one in may_be if one in known}
    return {one: some for one, some in found.items() if some}


def _own(known: Known, others: frozenset[str], modality: str) -> tuple[Fact, ...]:
    if known.noun is None or any(_clash(known.label_id, other) for other in others):
        return ()
    texts = {fact.text for other in others if other in knowledge() for fact in knowledge()[other].facts}
    asked = (fact for fact in known.asked(modality) if fact.text not in texts)
    return tuple(fact for fact in asked if not any(kin(one, other) for one in fact.also for other in others))


def _clash(label_id: str, other: str) -> bool:
    """Whether the other label is kin, or says so little that the same thing may be meant ("uncategorized red blood cell")."""
    if kin(label_id, other):
        return True
    vague = other in knowledge() and not any(fact.asked for fact in knowledge()[other].facts)
    parent = table()[knowledge()[other].label].parent if vague else None
    return parent is not None and kin(label_id, table().id_of(parent))


def _seen(parts: list[Marked]) -> Seen:
    state, finest = parts[0].state, parts[0].granularity
    if len(parts) > 1:
        finest = min((part.granularity for part in parts), key=FINEST.index)
        parts = [part for part in parts if part.granularity == finest]
    return Seen(state["label"], state["label_id"], finest, parts, knowledge().get(state["label_id"]))
