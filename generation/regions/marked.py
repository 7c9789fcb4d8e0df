"""What a case has to point at: regions of one observer, and labels that might have been marked but are known to be absent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..case import Case, Record, name_of
from ..chance import Chance
from ..pools import Pools, kin

ONE_OBSERVER = "one-observer"
"""Flag: other observers marked the same label; the answer is the first one's."""
DERIVED_BOX = "derived-box"
ABSENT = "absent"
"""Flag: asks for a label that is known to be absent."""
_KINDS = {"mask": ("mask", "contour"), "box": ("box",), "point": ("point",)}


@dataclass(frozen=True, slots=True)
class Missing:
    """A label state that is known to be absent, and how the label is marked elsewhere: mask, box or point."""

    state: Record
    granularity: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A label state that is present, and the regions that one observer gave it."""

    state: Record
    regions: Sequence[Record]
    granularity: str
    """That of the regions, contours being masks."""
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """With its side."""
        return name_of(self.state)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the regions, in their order."""
        return tuple([one["id"] for one in self.regions])


def marked(case: Case, granularities: Sequence[str]) -> list[Marked]:
    """Labels with regions of one of the granularities, in the order of the record; of several, the first that it has.

    A mask or contour counts as `mask`, and must have pixels. Of several observers the first one's regions count.
    """
    return [found for state in case.located() if (found := _marked(case, state, granularities)) is not None]


def drawn_from(items: Sequence[Marked], most: int, chance: Chance) -> list[Marked]:
    """At most so many of them, by chance, in their own order."""
    if len(items) <= most:
        return list(items)
    return [items[place] for place in sorted(chance.some(range(len(items)), most))]


def in_reading_order(regions: Iterable[Record]) -> list[Record]:
    """Regions from top to bottom, then from left to right, by the upper left corners of their boxes or their first points."""
    return sorted(regions, key=_corner)


def askable_absent(case: Case, pools: Pools, granularities: Sequence[str]) -> list[Missing]:
    """Label states known to be absent, of labels that this modality and clinical task have regions of somewhere.

    Nothing that is kin to a label which isn't known to be absent: "no brain tumor" beside a glioma would be wrong.
    """
    if not case.absent:
        return []
    others = {one["label_id"] for one in case.states if one["label_id"] not in case.absent}
    absent = [one for one in case.states if one["label_id"] in case.absent]
    found = [Missing(one, kind) for one in absent if (kind := _known_as(one, case, pools, granularities)) is not None]
    return [one for one in found if not any(kin(one.state["label_id"], other) for other in others)]


def _marked(case: Case, state: Record, granularities: Sequence[str]) -> Marked | None:
    every = case.regions_of(state)
    for granularity in granularities:
        of_kind = [one for one in every if one["granularity"] in _KINDS[granularity]]
        of_kind = [one for one in of_kind if one["area_px"]] if granularity == "mask" else of_kind
        if of_kind:
            observer = of_kind[0]["observer"]
            regions = [one for one in of_kind if one["observer"] == observer]
            return Marked(state, regions, granularity, (ONE_OBSERVER,) if len(regions) < len(of_kind) else ())
    return None


def _known_as(state: Record, case: Case, pools: Pools, granularities: Sequence[str]) -> str | None:
    """The first of the granularities in which the label is marked anywhere."""
    for granularity in granularities:
        homes = [(case.modality, state["clinical_task"], kind) for kind in _KINDS[granularity]]
        if any(one.id == state["label_id"] for home in homes for one in pools.regions.get(home, ())):
            return granularity
    return None


def _corner(region: Record) -> tuple[float, float, str]:
    box = region["box_xyxy_px"]
    x, y = region["points"][0] if box is None else box[:2]
    return y, x, region["id"]
