"""The places of a reply against a question's true regions, by what they are compared as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..coordinates.place import Place
from .boxes import box_measures, centres, found, inside, iou_matrix, point_f1
from .entity import Hits, entity_hits, entity_tallies
from .masks import filled_box, filled_ring, mask_measures, mask_tallies, overlap, stored, united
from .names import Name, name_of
from .truth import Truth, box_of


@dataclass(frozen=True, slots=True)
class Given:
    """What a reply gives: names with their places; a name may be "" where places stand without words."""

    names: tuple[str, ...]
    places: tuple[tuple[Place, ...], ...]

    @property
    def every(self) -> list[Place]:
        """All places."""
        return [one for some in self.places for one in some]


@dataclass(frozen=True, slots=True)
class Marks:
    """Measures and tallies of one reply."""

    measures: Mapping[str, float | None] = field(default_factory=dict)
    tallies: Mapping[str, float] = field(default_factory=dict)

    def __or__(self, other: Marks) -> Marks:
        return Marks({**self.measures, **other.measures}, {**self.tallies, **other.tallies})


def region_marks(given: Given, true: Truth, *, masks: str = "polygon", names: bool = True) -> Marks:
    """All region measures of a reply.

    - masks, where polygons were asked for: `mask_…` of all that was outlined (boxes are filled), `entity_…`;
    - masks, where boxes were asked for: `filled_…` of the filled boxes, and `box_…`, `entity_box_…` and counts of the
      boxes against the masks' own;
    - boxes: `box_…`, `pointing`, `entity_box_…` and counts;
    - points: `point_f1` and counts.

    Args:
        given: Of the reply.
        true: Of the question.
        masks: `polygon` or `box`, as the style of the questions asked for.
        names: Whether names were asked for too; without, there is no `entity_…`.
    """
    form = {"mask": masks}.get(true.shape, true.shape)
    kept = all(one.kind == form for one in given.every) if given.every else None
    marks = Marks({"form_kept": None if kept is None else float(kept)})
    if true.shape == "point":
        return marks | _points(given, true)
    if true.shape == "box":
        marks |= _boxes(given, true)
        return marks | _box_entities(given, true) if names else marks
    marks |= _masks(_merged(given), true, name="mask" if masks == "polygon" else "filled")
    return marks if masks == "polygon" else marks | _boxes(given, true) | _box_entities(given, true)


def painted(places: Sequence[Place], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, that polygons and boxes cover; points cover nothing."""
    return united((_mask(one, size_hw_px) for one in places if one.kind != "point"), size_hw_px)


def _mask(place: Place, size_hw_px: tuple[int, int]) -> np.ndarray:
    if place.box_xyxy_px is not None:
        return filled_box(place.box_xyxy_px, size_hw_px)
    return filled_ring(place.points_xy_px, size_hw_px)


def boxes_of(places: Sequence[Place]) -> list[tuple[float, float, float, float]]:
    """Boxes in px: those given, and the tight ones of polygons."""
    return [box for one in places if one.kind != "point" for box in [_box(one)]]


def _box(place: Place) -> tuple[float, float, float, float]:
    if place.box_xyxy_px is not None:
        return place.box_xyxy_px
    x, y = zip(*place.points_xy_px, strict=True)
    return min(x), min(y), max(x), max(y)


def _points_of(places: Sequence[Place]) -> list[tuple[float, float]]:
    """Points given, and centres of boxes and polygons."""
    return [one.points_xy_px[0] if one.kind == "point" else centres([_box(one)])[0] for one in places]


def _masks(by_name: Mapping[Name, Sequence[Place]], true: Truth, *, name: str) -> Marks:
    """All that was outlined as one mask, and of polygons also name by name."""
    size = true.size_hw_px
    ours = [painted(places, size) for places in by_name.values()]
    theirs = [stored([one["rle"] for one in thing.regions if one["rle"]], size) for thing in true.things]
    whole = overlap(united(ours, size), united(theirs, size))
    marks = Marks(mask_measures(whole, name), mask_tallies(whole, name))
    if name != "mask":
        return marks
    iou = np.array([[overlap(one, other).iou for other in theirs] for one in ours], float).reshape(len(ours), len(theirs))
    return marks | _entities(entity_hits(list(by_name), [one.name for one in true.things], iou), "entity")


def _merged(given: Given) -> dict[Name, list[Place]]:
    """Places by what they are called; those without a name are one entity that nothing matches."""
    merged: dict[Name, list[Place]] = {}
    for words, places in zip(given.names, given.places, strict=True):
        name = name_of(words)
        same = next((one for one in merged if one.means(name) and one.side == name.side), name)
        if places:
            merged.setdefault(same, []).extend(places)
    return merged


def _boxes(given: Given, true: Truth) -> Marks:
    theirs = [box_of(one) for one in true.regions if one["box_xyxy_px"] is not None]
    pointing = found(inside(_points_of(given.every), theirs))[2]
    counts = _counts(len(given.every), len(true.regions))
    return Marks(box_measures(boxes_of(given.every), theirs) | {"pointing": pointing} | counts)


def _box_entities(given: Given, true: Truth) -> Marks:
    true_ones = [(thing.name, box_of(one)) for thing in true.things for one in thing.regions if one["box_xyxy_px"] is not None]
    pairs = zip(given.names, given.places, strict=True)
    ours = [(name_of(words), box) for words, places in pairs for box in boxes_of(places)]
    iou = iou_matrix([box for _, box in ours], [box for _, box in true_ones])
    return _entities(entity_hits([name for name, _ in ours], [name for name, _ in true_ones], iou), "entity_box")


def _points(given: Given, true: Truth) -> Marks:
    theirs = [point for one in true.regions for point in one["points"]]
    ours = _points_of(given.every)
    score = point_f1(ours, theirs, size_hw_px=true.size_hw_px)
    return Marks({"point_f1": score, **_counts(len(ours), len(theirs))})


def _counts(given: int, true: int) -> dict[str, float]:
    return {"count_right": float(given == true), "count_error": float(abs(given - true))}


def _entities(one: Hits, name: str) -> Marks:
    return Marks({f"{name}_f1": one.f1}, entity_tallies(one, name))
