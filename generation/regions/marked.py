"""What a case has to point at: regions of one observer, and labels that might have been marked but are known to be absent."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..case import Case, Record, name_of
from ..chance import Chance
from ..pools import Pools, kin

ONE_OBSERVER = "one-observer"
"""Flag: other observers marked the same label; the answer is the first one's."""
DERIVED_BOX = "derived-box"
ABSENT = "absent"
"""Flag: asks for a label that is known to be absent."""
_COUNTS_AS = {"mask": "mask", "contour": "mask", "box": "box", "point": "point"}
Homes = Mapping[tuple[str, str, str], Container[str]]
"""Modality (detail where there is one), clinical task and label id → granularities in which the label is marked there."""


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
    found: list[Marked] = []
    for kinds in _by_granularity(case):
        if (granularity := _first(kinds, granularities)) is not None:
            found.append(kinds[granularity])
    return found


def drawn_from(items: Sequence[Marked], most: int, chance: Chance) -> list[Marked]:
    """At most so many of them, by chance, in their own order."""
    if len(items) <= most:
        return list(items)
    return [items[place] for place in sorted(chance.some(range(len(items)), most))]


def in_reading_order(regions: Iterable[Record]) -> list[Record]:
    """Regions from top to bottom, then from left to right, by the upper left corners of their boxes or their first points."""
    return sorted(regions, key=_corner)


def marked_somewhere(pools: Pools) -> Homes:
    """How labels are marked anywhere in a release, contours being masks."""
    homes: dict[tuple[str, str, str], set[str]] = {}
    for (modality, task, granularity), pool in pools.regions.items():
        for label in pool:
            homes.setdefault((modality, task, label.id), set()).add(_COUNTS_AS.get(granularity, granularity))
    return homes


def askable_absent(case: Case, homes: Homes, granularities: Sequence[str]) -> list[Missing]:
    """Label states known to be absent, of labels that this modality and clinical task have regions of somewhere.

    Nothing that is kin to a label which isn't known to be absent: "no brain tumor" beside a glioma would be wrong.
    """
    absent, modality, found = case.absent, case.modality, list[Missing]()
    for one in case.states if absent else ():
        kinds = homes.get((modality, one["clinical_task"], one["label_id"])) if one["label_id"] in absent else None
        if kinds and (granularity := _first(kinds, granularities)) is not None:
            found.append(Missing(one, granularity))
    others = {one["label_id"] for one in case.states if one["label_id"] not in absent} if found else ()
    return [one for one in found if not any(kin(one.state["label_id"], other) for other in others)]


def _first(kinds: Container[str], granularities: Sequence[str]) -> str | None:
    """The first of the granularities that is among the kinds."""
    for one in granularities:
        if one in kinds:
            return one
    return None


@lru_cache(2)
def _by_granularity(case: Case) -> list[dict[str, Marked]]:
    """For each label state with regions, these by granularity; all rules of a suite ask one case after the other."""
    if not case.record["annotations"]:
        return []
    return [_of_one_observer(state, case.regions_of(state)) for state in case.located()]


def _of_one_observer(state: Record, regions: Sequence[Record]) -> dict[str, Marked]:
    found: dict[str, list[Record]] = {}
    for one in regions:
        granularity = _COUNTS_AS[one["granularity"]]
        if granularity != "mask" or one["area_px"]:
            found.setdefault(granularity, []).append(one)
    return {granularity: _marked(state, of_kind, granularity) for granularity, of_kind in found.items()}


def _marked(state: Record, of_kind: Sequence[Record], granularity: str) -> Marked:
    observer = of_kind[0]["observer"]
    regions = [one for one in of_kind if one["observer"] == observer]
    return Marked(state, regions, granularity, (ONE_OBSERVER,) if len(regions) < len(of_kind) else ())


def _corner(region: Record) -> tuple[float, float, str]:
    box = region["box_xyxy_px"]
    x, y = region["points"][0] if box is None else box[:2]
    return y, x, region["id"]
