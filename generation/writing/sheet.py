"""A sample in words, for a model to write from: what kind of picture it is, and its regions with name, number, place and share.

No key, no id, no age, no sex and no text of the owner stands on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..case import Case, Record, area_name, listed
from ..choices.modality_words import picture
from ..regions.place_words import place, relation_between, share_words
from ..telling.seen import SIDES, Seen, called, one_eye

MOST_PLACES = 4
MOST_RELATIONS = 6


@dataclass(frozen=True, slots=True)
class Part:
    """A label on one side, by the name that people give it, and its regions."""

    name: str
    state: Record
    regions: Sequence[Record]
    flags: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its regions."""
        return tuple(one["id"] for one in self.regions)


def sheet(case: Case, parts: Sequence[Part]) -> str:
    """The sheet of some parts, numbered from 1 in their order."""
    return "\n".join(("Sheet", *_picture(case), *_regions(case, parts), *_relations(case, parts)))


def parts_of(case: Case, every: Sequence[Seen]) -> list[Part]:
    """The parts of all labels, in their order."""
    marked = (one for label in every for one in label.parts)
    return [Part(called(one.state, case.modality), one.state, one.regions, one.flags) for one in marked]


def _picture(case: Case) -> Iterator[str]:
    acquisition = case.record["acquisition"]
    yield f"- Image: {picture(case.modality)}; body part: {area_name(case.record['area'])}."
    told = [f"{name} {acquisition[name]}" for name in ("plane", "view", "contrast", "stain") if acquisition[name]]
    if told:
        yield f"- Acquisition: {', '.join(told)}."


def _regions(case: Case, parts: Sequence[Part]) -> Iterator[str]:
    height, width = case.size_hw_px
    for number, part in enumerate(parts, start=1):
        boxes = [one["box_xyxy_px"] or one["points"][0] for one in part.regions]
        places = list(dict.fromkeys(place(box, case.size_hw_px) for box in boxes))
        where = f"in the {listed(places)} of the image" if len(places) <= MOST_PLACES else "spread over the image"
        share = sum(one["area_px"] or 0.0 for one in part.regions) / (height * width)
        size = f"; share of the image: {share_words(share)}" if 0 < share < 1 else ""  # boxes may lie upon each other
        side = "; its side is the patient's" if part.state["laterality"] in SIDES and not one_eye(case.modality) else ""
        yield f"- Region {number}: {part.name}; number of them: {len(boxes)}; {where}{size}{side}."


def _relations(case: Case, parts: Sequence[Part]) -> Iterator[str]:
    """How regions lie that are single."""
    single = [(number, part.regions[0]) for number, part in enumerate(parts, start=1) if len(part.regions) == 1]
    for (first, one), (second, other) in list(combinations(single, 2))[:MOST_RELATIONS]:
        if words := relation_between(one, other, size_hw_px=case.size_hw_px):
            yield f"- Region {first} is {words} region {second}."
