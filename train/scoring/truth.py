"""What is true of a question's regions: the annotations that its answer is about, as masks, boxes or points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...generation.regions.marked import ABSENT
from ...schema.box import Box
from ...schema.errors import UsageError
from ...schema.question import Kind, Question
from .names import Name, name_of, true_name

Record = Mapping[str, Any]
LOCATED = frozenset({Kind.DETECTION, Kind.GROUNDING, Kind.REFERRING, Kind.REASONING, Kind.PROMPTED})
"""Kinds whose answers have places in them."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What an answer names, and the annotations that it gives for it."""

    name: Name
    regions: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """The regions that are asked for."""

    shape: str
    """mask, box or point: what the regions are compared as."""
    size_hw_px: tuple[int, int]
    things: tuple[Thing, ...]
    """Empty where what is asked for isn't there."""

    @property
    def regions(self) -> tuple[Record, ...]:
        """Of all things, in order."""
        return tuple(one for thing in self.things for one in thing.regions)


def truth(question: Question, record: Record) -> Truth:
    """The truth of a question whose answer has places.

    Raises:
        UsageError: the record isn't that of the question.
    """
    annotations = {one["id"]: one for one in record["annotations"]}
    if missing := [one for one in question.targets if one not in annotations]:
        raise UsageError(f"{question.id}: no annotation {missing[0]} in the record of {record['key']}; expected its own record")
    height, width = record["size_hw_px"]
    return Truth(_shape(question, annotations), (height, width), tuple(_things(question, annotations)))


def is_absent(question: Question) -> bool:
    """Whether a question asks for something that isn't there."""
    return ABSENT in question.flags or (question.kind in LOCATED - {Kind.PROMPTED} and not question.targets)


def box_of(region: Record) -> Box:
    """A region's own box, or a mask's tight one."""
    x0, y0, x1, y1 = region["box_xyxy_px"]
    return x0, y0, x1, y1


def _shape(question: Question, annotations: Mapping[str, Record]) -> str:
    if question.kind is Kind.DETECTION:
        return "point" if question.granularity == "point" else "box"
    targets = [annotations[one] for one in question.targets]
    if any(one["rle"] is not None for one in targets):
        return "mask"
    if targets:
        return "box" if any(one["box_xyxy_px"] is not None for one in targets) else "point"
    return question.granularity if question.granularity in ("box", "point") else "mask"


def _things(question: Question, annotations: Mapping[str, Record]) -> list[Thing]:
    """Targets by the words that the answer has for them; the same name twice is one thing."""
    found: dict[tuple[str | None, str, str | None], tuple[Name, list[Record]]] = {}
    words = {
        one: (question.answer or "")[span.start : span.end] for span in reversed(question.spans) for one in span.annotations
    }
    for target in question.targets:
        name = _name(words.get(target), annotations[target])
        found.setdefault((name.label_id, name.words, name.side), (name, []))[1].append(annotations[target])
    return [Thing(name, tuple(regions)) for name, regions in found.values()]


def _name(words: str | None, region: Record) -> Name:
    """What the answer calls a region: the record's label, with a side where the words say one."""
    side = name_of(words).side if words else region["laterality"]
    return true_name(region["label"], region["label_id"], side)


def true_names(question: Question, record: Record) -> Sequence[Name]:
    """The names that an answer has to hold: of the things it places, else of the labels it is about."""
    if question.targets:
        return [one.name for one in truth(question, record).things]
    labels = {one["label_id"]: one["label"] for one in record.get("labels") or ()}
    return [true_name(labels[one], one, None) for one in question.labels if one in labels]
