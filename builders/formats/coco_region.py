"""Where a COCO annotation is: its `segmentation` as a contour or a mask, or else its `bbox`.

COCO unites the polygons of an annotation, while ours are filled even-odd: polygons whose boxes overlap are united first,
and their corners then stand on whole pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ...schema.errors import RegionError
from ...schema.region import (
    Box,
    box_from_xywh,
    check_box,
    contours_from_mask,
    fill_polygons,
    rle_area,
    rle_from_coco_segmentation,
)

UNBOUNDED = (10**9, 10**9)
"""Stands for the size of an image whose entry states none; the worker knows better."""
MAX_SIDE_PX, MAX_PIXELS = 10**6, 2**32 - 1
MAX_UNITED_PX = 1 << 26
MAX_COMPARED = 100
"""Polygons of one annotation whose boxes are compared pair by pair; more are united unseen."""
Ring = tuple[tuple[float, float], ...]


def place_of(item: Mapping[str, Any], size: tuple[int, int] | None) -> dict[str, Any]:
    """The geometry as fields of a Mark.

    Raises:
        RegionError: it has no meaning on its image.
    """
    segmentation = item.get("segmentation")
    if isinstance(segmentation, dict) and segmentation:
        return {"rle": _rle(segmentation, size)}
    if isinstance(segmentation, list) and segmentation:
        return {"polygons_px": _polygons(segmentation, size or UNBOUNDED)}
    if segmentation:
        found = f"segmentation {str(segmentation)[:40]}"
        raise RegionError(found, expected="polygons or an RLE", code="bad-segmentation")
    try:
        box = box_from_xywh(*item.get("bbox") or ())
    except (TypeError, ValueError, OverflowError) as error:
        found = f"bbox {str(item.get('bbox'))[:60]}"
        raise RegionError(found, expected="x, y, width and height as numbers") from error
    return {"box_xyxy_px": check_box(box, size or UNBOUNDED)}


def _rle(segmentation: Mapping[str, Any], size: tuple[int, int] | None) -> str:
    stated = segmentation.get("size")
    if size is None and isinstance(stated, list) and len(stated) == 2:
        size = checked_size(*stated)
    if size is None:
        raise RegionError(f"RLE of size {str(stated)[:40]}", expected="a height and a width", code="bad-rle")
    rle = rle_from_coco_segmentation(segmentation, size)
    if not rle_area(rle, size):
        raise RegionError("RLE without pixels", expected="one pixel or more", code="mask-empty")
    return rle


def _polygons(flat_rings: Sequence[Any], size: tuple[int, int]) -> tuple[Ring, ...]:
    rings = [_ring(flat) for flat in flat_rings]
    boxes = [(*ring.min(axis=0), *ring.max(axis=0)) for ring in rings]
    x0, y0, x1, y1 = (pick(edges) for pick, edges in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
    if not (x0 < x1 and y0 < y1):
        raise RegionError("polygon without area", expected="corners that aren't on one line", code="box-without-area")
    if x1 <= 0 or y1 <= 0 or x0 >= size[1] or y0 >= size[0]:
        found = f"polygon from ({x0:.10g}, {y0:.10g}) to ({x1:.10g}, {y1:.10g})"
        raise RegionError(found, expected=f"within {size[1]}×{size[0]} px", code="box-outside")
    if len(boxes) > MAX_COMPARED or any(_touch(one, other) for one, other in combinations(boxes, 2)):
        rings = _united(rings, size, around=(x0, y0, x1, y1))
    return tuple(tuple((float(x), float(y)) for x, y in ring) for ring in rings)


def _united(rings: Sequence[np.ndarray], size: tuple[int, int], *, around: Box) -> list[np.ndarray]:
    """Rings that even-odd filling makes the union of; corners are on whole pixels, as a filled mask has them."""
    first = np.floor(np.clip(around[:2], 0, (size[1], size[0])))
    width, height = (np.ceil(np.clip(around[2:], 0, (size[1], size[0]))) - first).astype(int).tolist()
    if height * width > MAX_UNITED_PX:
        found = f"polygons that overlap on {width}×{height} px"
        raise RegionError(found, expected=f"at most {MAX_UNITED_PX} px", code="absurd-size")
    union = np.zeros((height, width), np.uint8)
    for ring in rings:
        union |= fill_polygons([ring - first], (height, width))
    outlines = [outline + first for outline in contours_from_mask(union)]
    if not outlines:
        raise RegionError("polygons that cover no pixel", expected="one pixel or more", code="mask-empty")
    return outlines


def _ring(flat: Any) -> np.ndarray:
    """N×2 float64 (x, y) of a flat list.

    Raises:
        RegionError: `bad-polygon`.
    """
    numbers = flat if isinstance(flat, list) else []
    plain = all(isinstance(value, int | float) and abs(value) < UNBOUNDED[0] for value in numbers)
    if plain and len(numbers) >= 6 and len(numbers) % 2 == 0:
        return np.array(numbers, np.float64).reshape(-1, 2)
    raise RegionError(f"polygon {str(flat)[:40]}", expected="x, y of three corners or more, in px", code="bad-polygon")


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def checked_size(height: Any, width: Any) -> tuple[int, int] | None:
    """(height, width) in px; None for anything but whole numbers that an image can have."""
    sides = [int(side) for side in (height, width) if isinstance(side, int | float) and 1 <= side <= MAX_SIDE_PX]
    whole = len(sides) == 2 and math.prod(sides) <= MAX_PIXELS and sides == [height, width]
    return (sides[0], sides[1]) if whole else None
