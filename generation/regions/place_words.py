"""Words for where a region lies, how large it is, and how two regions lie to each other.

Left and right in every word are the image's, as its viewer sees them; only `patient_side` speaks of the patient.
Frame and boxes: see `schema/region.py`. A sentence says "in the {place} of the image".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np
from pycocotools import mask as coco

from ...schema.box import Box
from .run_lengths import run_lengths

Where = Sequence[float]
"""A box (x0, y0, x1, y1), which counts by its centre, or a point (x, y), in px."""
PLACES = (
    ("upper left", "upper middle", "upper right"),
    ("middle left", "center", "middle right"),
    ("lower left", "lower middle", "lower right"),
)
"""By third of the height, then of the width; a point on the line between two thirds belongs to the outer one."""
SIZES = ((0.001, "tiny"), (0.02, "small"), (0.1, "medium-sized"), (0.4, "large"), (1.0, "very large"))
"""Share of the image up to which a word holds; a share on the line takes the smaller word."""
LEAST_SHARE = 0.0001
"""Smaller shares are called less than that."""
INSIDE = 0.95
"""Share of a region that lies within the other, from which it is inside."""
OVERLAP = 0.1
"""Share of the smaller region that both have, from which they overlap."""
DEEP = 0.5
"""Share of the smaller extent up to which boxes may reach into each other and still lie side by side."""
_WHOLE = 0.995
_SIDES = {"L": ("right", "left"), "R": ("left", "right")}
"""Patient direction of image right → the patient's side at image left, at image right."""


def place(where: Where, size_hw_px: tuple[int, int]) -> str:
    """The third of the height and of the width in which a point or a box's centre lies: one of `PLACES`."""
    column, row = _thirds(where, size_hw_px)
    return PLACES[row][column]


def patient_side(where: Where, size_hw_px: tuple[int, int], *, orientation: str | None) -> str | None:
    """`left` or `right`: the side of the patient towards which a region in an outer third of the width lies.

    None in the middle third, and where image right isn't known to be the patient's left or right, so for sagittal slices.

    Args:
        where: A box or point.
        size_hw_px: Of the image.
        orientation: Patient directions of image right and image down, as in the record's provenance.
    """
    sides = _SIDES.get((orientation or " ")[0])
    column = _thirds(where, size_hw_px)[0]
    return None if sides is None or column == 1 else sides[column // 2]


def share_words(share: float) -> str:
    """A share of the image (0 to 1) in percent, to two digits that count: "37%", "3.2%", "0.043%".

    So it is never more than 5% (of itself) away, but that all below 0.01% is "less than 0.01%" and a share above 99.5%
    short of the whole is "more than 99%".
    """
    if share < LEAST_SHARE:
        return "less than 0.01%"
    if _WHOLE < share < 1:
        return "more than 99%"
    percent = 100 * share
    decimals = 0 if percent >= 9.95 else 1 if percent >= 0.995 else 2 if percent >= 0.0995 else 3
    return f"{percent:.{decimals}f}%"


def size_words(share: float) -> str:
    """One of `SIZES` for a share of the image (0 to 1)."""
    for most, word in SIZES:
        if share <= most:
            return word
    return SIZES[-1][1]


def relation(a: Box | None, b: Box | None, *, shared: tuple[float, float] | None = None) -> str | None:
    """How region a lies to region b, for "a is … b"; None where nothing plain can be said.

    "inside" and "around" from `INSIDE` on (regions that are both are "overlapping", as are those from `OVERLAP` on), else
    above, below, image left of or image right of on the axes on which the boxes lie apart: "above and image left of" where
    on both. Boxes that meet lie apart on the axis on which they reach least into each other, up to `DEEP`.

    Args:
        a: Tight box in px; None for a region without one.
        b: Likewise.
        shared: Share of a within b, and of b within a, where masks give them; else they are the boxes' own.
    """
    if a is None or b is None or not (_area(a) and _area(b)):
        return None
    in_b, in_a = _shared(a, b) if shared is None else shared
    if max(in_b, in_a) >= INSIDE:
        return "overlapping" if min(in_b, in_a) >= INSIDE else "inside" if in_b >= INSIDE else "around"
    return "overlapping" if max(in_b, in_a) >= OVERLAP else _sides(a, b)


def relation_between(one: Mapping[str, Any], other: Mapping[str, Any], *, size_hw_px: tuple[int, int]) -> str | None:
    """`relation` of two annotations of a record; masks and contours are compared pixel by pixel where their boxes meet."""
    a, b = one["box_xyxy_px"], other["box_xyxy_px"]
    if a is None or b is None or not (one["rle"] and other["rle"] and _meet(a, b)):
        return relation(a, b)
    return relation(a, b, shared=_shared_pixels(one["rle"], other["rle"], size_hw_px))


def centroid(annotation: Mapping[str, Any], size_hw_px: tuple[int, int]) -> tuple[float, float]:
    """The centroid (x, y) in px of an annotation: of a mask's pixels, a box's middle, the mean of points."""
    if annotation["rle"]:
        return rle_centroid(annotation["rle"], size_hw_px)
    if annotation["box_xyxy_px"] is not None:
        return _middle(annotation["box_xyxy_px"])
    points = annotation["points"]
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


@lru_cache(1 << 6)
def rle_centroid(counts: str, size_hw_px: tuple[int, int]) -> tuple[float, float]:
    """The mean of a mask's pixel centres, (x, y) in px, without painting the mask.

    Raises:
        RegionError: `bad-rle`.
    """
    lengths = run_lengths(counts, size_hw_px)
    sums = _short_sums(lengths, size_hw_px[0]) if isinstance(lengths, tuple) else _sums(np.asarray(lengths), size_hw_px[0])
    area, flat, columns = sums
    return columns / area + 0.5, (flat - size_hw_px[0] * columns) / area + 0.5


def _short_sums(lengths: Sequence[int], height: int) -> tuple[int, int, int]:
    """Count, sum of flat places and sum of column numbers of the foreground's pixels."""
    ends, inside = list(accumulate(lengths))[1::2], lengths[1::2]
    flat = 2 * sum(map(mul, ends, inside)) - sum(map(mul, inside, inside)) - sum(inside)
    columns = 0
    for end, length in zip(ends, inside, strict=True):
        column, row = divmod(end, height)
        if row >= length:
            columns += column * length
        else:
            columns += _columns_before(end, height) - _columns_before(end - length, height)
    return sum(inside), flat // 2, columns


def _sums(lengths: np.ndarray, height: int) -> tuple[int, int, int]:
    """The same from an int64 array, for masks of many runs."""
    ends = np.cumsum(lengths)
    ends, inside = ends[1::2], lengths[1::2]
    starts = ends - inside
    columns = int((_columns_before(ends, height) - _columns_before(starts, height)).sum())
    return int(inside.sum()), int(((starts + ends - 1) * inside).sum()) // 2, columns


def _columns_before(end: Any, height: int) -> Any:
    """The sum of the column numbers of all pixels before a flat place (or before each of an array)."""
    full = end // height
    return height * full * (full - 1) // 2 + full * (end - full * height)


def _thirds(where: Where, size_hw_px: tuple[int, int]) -> tuple[int, int]:
    x, y = _middle(where)
    height, width = size_hw_px
    return _third(x, width), _third(y, height)


def _third(at: float, extent: int) -> int:
    """0, 1 or 2; what lies on a line goes outwards, so that mirrored images have mirrored words."""
    return 0 if 3 * at <= extent else 2 if 3 * at >= 2 * extent else 1


def _middle(where: Where) -> tuple[float, float]:
    if len(where) == 2:
        return where[0], where[1]
    x0, y0, x1, y1 = where
    return (x0 + x1) / 2, (y0 + y1) / 2


def _area(box: Where) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _reach(a: Box, b: Box, *, axis: int) -> float:
    """By how much the boxes reach into each other along x (0) or y (1), px; negative where they lie apart."""
    return min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis])


def _meet(a: Box, b: Box) -> bool:
    return _reach(a, b, axis=0) > 0 and _reach(a, b, axis=1) > 0


def _shared(a: Box, b: Box) -> tuple[float, float]:
    both = max(_reach(a, b, axis=0), 0.0) * max(_reach(a, b, axis=1), 0.0)
    return both / _area(a), both / _area(b)


def _shared_pixels(one: str, other: str, size_hw_px: tuple[int, int]) -> tuple[float, float]:
    height, width = size_hw_px
    areas = [sum(run_lengths(counts, size_hw_px)[1::2]) for counts in (one, other)]
    masks: Any = [{"counts": counts.encode(), "size": [height, width]} for counts in (one, other)]
    both: Any = coco.merge(masks, intersect=True)
    shared = int(coco.area(both))
    return shared / areas[0], shared / areas[1]


def _sides(a: Box, b: Box) -> str | None:
    reach = [_reach(a, b, axis=axis) for axis in (0, 1)]
    apart = [axis for axis in (0, 1) if reach[axis] <= 0]
    if not apart:
        depth = [reach[axis] / min(a[axis + 2] - a[axis], b[axis + 2] - b[axis]) for axis in (0, 1)]
        least = min(depth)
        apart = [axis for axis in (0, 1) if depth[axis] == least and least <= DEEP]
    words = [_side(a, b, axis=axis) for axis in sorted(apart, reverse=True)]
    return " and ".join(words) or None


def _side(a: Box, b: Box, *, axis: int) -> str:
    before = a[axis] + a[axis + 2] < b[axis] + b[axis + 2]
    return ("image left of" if before else "image right of") if axis == 0 else ("above" if before else "below")
