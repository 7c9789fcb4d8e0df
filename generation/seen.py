"""What is seen on a sample, as people speak of it: each label once, with the regions that one observer drew of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from ..schema.labels.table import table
from ..schema.triplet import MODALITIES
from .case import Case, Record
from .knowledge import Fact, Known, knowledge
from .pools import kin

FINEST = ("mask", "contour", "box", "point")
SIDES = ("left", "right")
_ONE_EYE = ("FP", "OCT", "OP")
"""Modalities whose picture shows one eye: a side on it is the eye's."""


@dataclass(frozen=True, slots=True)
class Part:
    """A label on one side: its name as people say it, and its regions."""

    name: str
    state: Record
    annotations: Sequence[Record]

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its annotations."""
        return tuple([one["id"] for one in self.annotations])


@dataclass(frozen=True, slots=True)
class Seen:
    """A label that is present and has regions, of one granularity and by one observer."""

    label: str
    label_id: str
    granularity: str
    parts: Sequence[Part]
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


def seen(case: Case) -> list[Seen]:
    """Labels with regions, in the order of the record's states; annotations without area are left out."""
    by_label: dict[str, list[Record]] = {}
    for state in case.located():
        by_label.setdefault(state["label_id"], []).append(state)
    found = (_seen(case, states) for states in by_label.values())
    return [one for one in found if one is not None]


def complete(one: Seen, case: Case) -> bool:
    """Whether no region of the label can be missing: no side of it is uncertain, nor unknown where people have two."""
    states = [state for state in case.states if state["label_id"] == one.label_id]
    if any(state["state"] not in ("present", "absent") for state in states):
        return False
    sides = {state["laterality"] for state in states}
    paired = one.known is not None and one.known.pair and not one_eye(case.modality)
    return not paired or not sides & {*SIDES} or sides >= {*SIDES}


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
    parent = None if not vague else table()[knowledge()[other].label].parent
    return parent is not None and kin(label_id, table().id_of(parent))


def _seen(case: Case, states: Sequence[Record]) -> Seen | None:
    every = {state["laterality"]: case.regions_of(state) for state in states}
    flat = [one for some in every.values() for one in some if _has_area(one)]
    if not flat:
        return None
    granularity = next(one for one in FINEST if any(region["granularity"] == one for region in flat))
    observer = next(one["observer"] for one in flat if one["granularity"] == granularity)
    parts = tuple(_parts(case, states, granularity=granularity, observer=observer))
    label = states[0]
    return Seen(label["label"], label["label_id"], granularity, parts, knowledge().get(label["label_id"]))


def _parts(case: Case, states: Sequence[Record], *, granularity: str, observer: str | None) -> Iterator[Part]:
    for state in states:
        regions = [one for one in case.regions_of(state, granularity) if one["observer"] == observer and _has_area(one)]
        if regions:
            yield Part(called(state, case.modality), state, regions)


def called(one: Record, modality: str) -> str:
    """The name of a state or annotation with the patient's side, but for pictures of one eye: "left lung"."""
    sided = one["laterality"] in SIDES and not one_eye(modality)
    return f"{one['laterality']} {one['label']}" if sided else one["label"]


def _has_area(one: Record) -> bool:
    return bool(one["points"]) if one["granularity"] == "point" else bool(one["area_px"])
