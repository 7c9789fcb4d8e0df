"""Which regions of a picture changed: matched by label and place, whatever their ids and order are.

Equal ones match first; then, within one label, granularity and observer, those that share most; then those that share half or
more under another label. What is left was added or removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ...schema.errors import RegionError
from ...schema.region import box_iou, mask_from_rle, rle_box
from .change import Kind

Region = Mapping[str, Any]
"""An annotation of a record."""
Found = tuple[Kind, str, str | None, str | None, float | None]
"""Kind, what, old, new and IoU of a change."""
SHARED_BY_RELABELLED = 0.5
_WHO = ("label_id", "laterality", "granularity", "observer")
_WHERE = ("box_xyxy_px", "rle", "points")
_Box = tuple[float, float, float, float]


def changed_regions(old: Sequence[Region], new: Sequence[Region], *, sizes: tuple[Any, Any]) -> Iterator[Found]:
    """The changes between two lists of annotations; `sizes` are (height, width) in px of the pictures they lie on."""
    before, after = list(map(_Shape, old, [sizes[0]] * len(old))), list(map(_Shape, new, [sizes[1]] * len(new)))
    before, after = _without_equal(before, after)
    for one, other, shared in _matched(before, after, lambda a, b: a.who == b.who, least=0.0):
        yield Kind.REGION_CHANGED, one.name, one.words, other.words, shared
        before.remove(one)
        after.remove(other)
    for one, other, shared in _matched(before, after, _same_kind, least=SHARED_BY_RELABELLED):
        yield Kind.REGION_RELABELLED, one.name, one.label, other.label, shared
        before.remove(one)
        after.remove(other)
    yield from ((Kind.REGION_REMOVED, one.name, one.words, None, None) for one in before)
    yield from ((Kind.REGION_ADDED, one.name, None, one.words, None) for one in after)


@dataclass(eq=False)
class _Shape:
    """A region with what is worked out of it once."""

    region: Region
    size_hw_px: Any
    _mask: tuple[np.ndarray, int, int] | None = field(default=None, repr=False)

    @property
    def who(self) -> tuple[Any, ...]:
        return tuple(self.region.get(name) for name in _WHO)

    @property
    def label(self) -> str:
        side = self.region.get("laterality")
        return f"{self.region['label']} ({side})" if side else str(self.region["label"])

    @property
    def name(self) -> str:
        return f"{self.label} · {self.region['granularity']}"

    @property
    def box(self) -> _Box | None:
        box, rle = self.region.get("box_xyxy_px"), self.region.get("rle")
        if box is None and rle is not None:
            box = rle_box(rle, tuple(self.size_hw_px))
        return None if box is None else (box[0], box[1], box[2], box[3])

    @property
    def words(self) -> str:
        """Its place in numbers."""
        if self.region.get("points"):
            return "points " + " ".join(f"{x:g},{y:g}" for x, y in self.region["points"])
        area = self.region.get("area_px")
        box = ",".join(f"{edge:g}" for edge in self.region["box_xyxy_px"] or ())
        return f"box {box}" + (f" area {area:g}" if area is not None else "")

    @property
    def mask(self) -> tuple[np.ndarray, int, int]:
        """The mask inside its box (bool), and the box's upper left corner as row and column."""
        if self._mask is None:
            whole = mask_from_rle(self.region["rle"], tuple(self.size_hw_px)).astype(bool)
            rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
            top, left = (int(rows[0]), int(columns[0])) if len(rows) else (0, 0)
            inside = whole[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1].copy() if len(rows) else whole[:0, :0]
            self._mask = inside, top, left
        return self._mask


def _without_equal(old: list[_Shape], new: list[_Shape]) -> tuple[list[_Shape], list[_Shape]]:
    """What is left of both when regions of one label and place have found each other."""
    waiting: dict[str, list[_Shape]] = {}
    for one in new:
        waiting.setdefault(_place(one), []).append(one)
    left = []
    for one in old:
        same = waiting.get(_place(one))
        if same:
            same.pop(0)
        else:
            left.append(one)
    kept = {id(one) for some in waiting.values() for one in some}
    return left, [one for one in new if id(one) in kept]


def _place(one: _Shape) -> str:
    return repr((*one.who, *(one.region.get(name) for name in _WHERE)))


def _same_kind(one: _Shape, other: _Shape) -> bool:
    return one.region["granularity"] == other.region["granularity"]


def _matched(old: list[_Shape], new: list[_Shape], fits: Any, *, least: float) -> list[tuple[_Shape, _Shape, float | None]]:
    """Pairs that fit and share most, each region once."""
    pairs = [(_shared(a, b), a, b) for a, b in product(old, new) if fits(a, b)]
    pairs = [pair for pair in pairs if pair[0] > least]
    pairs.sort(key=lambda pair: -pair[0])
    taken, found = set[int](), []
    for shared, a, b in pairs:
        if taken.isdisjoint((id(a), id(b))):
            taken |= {id(a), id(b)}
            found.append((a, b, None if a.region.get("points") else shared))
    return found


def _shared(one: _Shape, other: _Shape) -> float:
    """How much two regions share, 0 to 1; of points how near the first ones are."""
    if one.region.get("points") and other.region.get("points"):
        (x, y), (u, v) = one.region["points"][0], other.region["points"][0]
        return 1 / (1 + float(np.hypot(x - u, y - v)))
    try:
        a, b = one.box, other.box
        if a is None or b is None or not box_iou(a, b):
            return 0.0
        if one.region.get("rle") and other.region.get("rle") and tuple(one.size_hw_px) == tuple(other.size_hw_px):
            return _mask_iou(one.mask, other.mask)
        return box_iou(a, b)
    except RegionError:
        return 0.0


def _mask_iou(one: tuple[np.ndarray, int, int], other: tuple[np.ndarray, int, int]) -> float:
    (a, top, left), (b, low, right) = one, other
    first, last = max(top, low), min(top + a.shape[0], low + b.shape[0])
    begin, end = max(left, right), min(left + a.shape[1], right + b.shape[1])
    if first >= last or begin >= end:
        return 0.0
    mine = a[first - top : last - top, begin - left : end - left]
    its = b[first - low : last - low, begin - right : end - right]
    shared = int(np.count_nonzero(mine & its))
    joint = int(np.count_nonzero(a)) + int(np.count_nonzero(b)) - shared
    return shared / joint if joint else 1.0
