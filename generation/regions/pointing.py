"""Boxes and points that point at a region: a box with jitter, points well inside a mask."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, cycle
from operator import add, mul

import cv2
import numpy as np

from ...schema.box import Box, box_iou
from ..case import Record
from ..chance import Chance
from .run_lengths import run_lengths

LEAST_IOU = 0.7
"""Intersection over union that a jittered box keeps with the true one."""
RIVAL = 0.5
"""Intersection over union with a prompt's box from which another region could be meant."""
DEPTH = 0.5
"""Share of the mask's greatest depth at which points lie, at least."""
Points = tuple[tuple[float, float], ...]


def jittered(box: Box, size_hw_px: tuple[int, int], *, jitter: float, chance: Chance) -> Box:
    """The box with each edge moved by up to `jitter` of its width or height, in px, to a hundredth.

    It stays within the image (where the true box does) and at `LEAST_IOU` or more with the true box; moves that are too
    large are halved until it does.
    """
    x0, y0, x1, y1 = box
    height, width = size_hw_px
    moves = [chance.between(-jitter, jitter) * extent for extent in (x1 - x0, y1 - y0) * 2]
    ends = (float(width), float(height)) * 2
    for _ in range(8):
        raw = zip(map(add, box, moves), ends, strict=True)
        moved = [round(0.0 if at < 0.0 else end if at > end else at, 2) for at, end in raw]
        found = moved[0], moved[1], moved[2], moved[3]
        if box_iou(found, box) >= LEAST_IOU:
            return found
        moves = [move / 2 for move in moves]
    return box


def alone(box: Sequence[float], others: Iterable[Sequence[float]]) -> bool:
    """Whether no other box is nearly the same: all keep below an intersection over union of `RIVAL`."""
    x0, y0, x1, y1 = box
    near = (one for one in others if one[0] < x1 and x0 < one[2] and one[1] < y1 and y0 < one[3])
    return not any(box_iou((x0, y0, x1, y1), (one[0], one[1], one[2], one[3])) >= RIVAL for one in near)


def meet(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two boxes share area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def points_inside(
    region: Record, others: Sequence[Record], size_hw_px: tuple[int, int], *, count: int, chance: Chance
) -> Points:
    """Up to so many pixel centres (x, y) in px of a mask, each at `DEPTH` of its greatest depth or deeper, all different.

    Depth is the distance to the nearest pixel outside, the image's edge counting as outside. Pixels that one of the other
    masks holds too are outside; where nothing is left there are no points.
    """
    x0, y0, x1, y1 = map(int, region["box_xyxy_px"])
    places = _deep(region["rle"], tuple([one["rle"] for one in others]), size_hw_px, (x0, y0, x1, y1))
    rows = y1 - y0 + 2
    chosen: dict[int, None] = {}
    while len(chosen) < min(count, places.size):
        chosen[int(places[chance.below(places.size)])] = None
    return tuple([(x0 + place // rows - 0.5, y0 + place % rows - 0.5) for place in chosen])


@lru_cache(2)
def _deep(counts: str, others: tuple[str, ...], size_hw_px: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    """Flat places, down the columns of the box with a pixel around it, of a mask's deep pixels that no other mask holds."""
    x0, y0, x1, y1 = box
    framed = np.zeros((x1 - x0 + 2, y1 - y0 + 2), np.uint8)
    inside = framed[1:-1, 1:-1]
    inside[:] = _window(counts, size_hw_px, columns=(x0, x1))[:, y0:y1]
    for other in others:
        inside &= 1 - _window(other, size_hw_px, columns=(x0, x1))[:, y0:y1]
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)
    deepest = np.maximum.reduce(depth, axis=None)
    return (depth >= DEPTH * deepest).ravel().nonzero()[0] if deepest else np.zeros(0, np.int64)


def _window(counts: str, size_hw_px: tuple[int, int], *, columns: tuple[int, int]) -> np.ndarray:
    """Some columns of a mask as uint8 of columns × height, without painting the rest."""
    first, last = columns[0] * size_hw_px[0], columns[1] * size_hw_px[0]
    lengths = run_lengths(counts, size_hw_px)
    flat = _painted(lengths, first, last) if isinstance(lengths, tuple) else _repeated(np.asarray(lengths), first, last)
    return flat.reshape(columns[1] - columns[0], size_hw_px[0])


def _painted(lengths: Sequence[int], first: int, last: int) -> np.ndarray:
    """Flat places `first` to `last` of a mask, as runs of bytes."""
    ends = list(accumulate(lengths))
    low = bisect_right(ends, first)
    high = max(low, bisect_left(ends, last))
    seen = [*lengths[low:high], last - (ends[high - 1] if high else 0)]
    seen[0] -= first - (ends[low - 1] if low else 0)
    values = cycle((b"\1", b"\0") if low % 2 else (b"\0", b"\1"))
    return np.frombuffer(b"".join(map(mul, values, seen)), np.uint8)


def _repeated(lengths: np.ndarray, first: int, last: int) -> np.ndarray:
    """The same for masks of many runs."""
    seen = np.diff(np.cumsum(lengths).clip(first, last), prepend=first)
    return np.repeat(np.arange(seen.size, dtype=np.int64).astype(np.uint8) & 1, seen)
