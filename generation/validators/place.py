"""Where annotations and prompts lie, as far as validators ask; masks are decoded only where boxes leave it open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from ...schema.box import Box, box_iou
from ...schema.errors import RegionError
from ...schema.mask import mask_from_rle, mask_iou
from ...schema.question import Prompt
from ..case import Record
from ..regions.run_lengths import run_lengths

SAME = 0.5
"""Intersection over union from which two regions count as one, as detection is scored everywhere."""
_NEAR_PX = 1.0


def box_of(annotation: Record) -> Box | None:
    """The box of an annotation, in px; that of its points where it has nothing else."""
    if annotation["box_xyxy_px"]:
        x0, y0, x1, y1 = annotation["box_xyxy_px"]
        return x0, y0, x1, y1
    if not annotation["points"]:
        return None
    xs, ys = zip(*annotation["points"], strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def covers(annotation: Record, prompt: Prompt, own: Record, *, size_hw_px: tuple[int, int]) -> bool:
    """Whether what a prompt shows of its own annotation could as well be another one."""
    if prompt.kind == "point":
        return bool(prompt.points_xy_px) and not outside(annotation, prompt.points_xy_px, size_hw_px=size_hw_px)
    pointed = box_of(own) if prompt.box_xyxy_px is None else box_from(prompt)
    other = box_of(annotation)
    if pointed is None or other is None or box_iou(pointed, other) < SAME:
        return False
    if prompt.kind == "box" or not (own["rle"] and annotation["rle"]):
        return True
    first, second = (mask_from_rle(one["rle"], size_hw_px) for one in (own, annotation))
    return mask_iou(first, second) >= SAME


def box_from(prompt: Prompt) -> Box | None:
    """The box of a prompt, or None where there aren't four numbers."""
    if prompt.box_xyxy_px is None or len(prompt.box_xyxy_px) != 4:
        return None
    x0, y0, x1, y1 = prompt.box_xyxy_px
    return x0, y0, x1, y1


def outside(annotation: Record, points: Sequence[Sequence[float]], *, size_hw_px: tuple[int, int]) -> list[Sequence[float]]:
    """Those of the points (x, y) in px that lie outside an annotation: its mask, else its box, else its own points."""
    box = box_of(annotation)
    if box is None:
        return list(points)
    if annotation["rle"] is None:
        return [point for point in points if not _in_box(point, box)]
    if all(not _in_box(point, box) for point in points):
        return list(points)
    try:
        bounds = list(accumulate(run_lengths(annotation["rle"], size_hw_px)))
    except RegionError:
        return list(points)
    return [point for point in points if not _in_runs(bounds, point, size_hw_px)]


def _in_runs(bounds: Sequence[int], point: Sequence[float], size_hw_px: tuple[int, int]) -> bool:
    """Whether a point's pixel, counted down the columns, lies in one of the odd runs, which are the foreground."""
    (x, y), (height, width) = point, size_hw_px
    inside = 0 <= x < width and 0 <= y < height
    return inside and bisect_right(bounds, int(x) * height + int(y)) % 2 == 1


def _in_box(point: Sequence[float], box: Box) -> bool:
    """Within a pixel: a box of points has no area."""
    x, y = point
    return box[0] - _NEAR_PX <= x <= box[2] + _NEAR_PX and box[1] - _NEAR_PX <= y <= box[3] + _NEAR_PX
