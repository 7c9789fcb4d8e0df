"""How well what was outlined fits a true mask.

Polygons are filled by the rule of `schema/polygon.py`, each by itself, and united; so are boxes, which fill the pixels
whose centres they hold. cIoU and gIoU are LISA's and GRES's: cumulative shared over cumulative joint pixels, and the mean
of the pictures' IoU, where nothing outlined on a picture without the thing asked for counts 1 and anything outlined 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np

from ...schema.mask import mask_from_rle
from ...schema.polygon import fill_polygons
from .measures import IOU_STEPS


@dataclass(frozen=True, slots=True)
class Overlap:
    """Pixels of two masks."""

    shared_px: int
    given_px: int
    true_px: int

    @property
    def joint_px(self) -> int:
        """Pixels in either."""
        return self.given_px + self.true_px - self.shared_px

    @property
    def iou(self) -> float:
        """Shared over joint; 1 where both are empty."""
        return self.shared_px / self.joint_px if self.joint_px else 1.0

    @property
    def dice(self) -> float:
        """Twice the shared over the sum of both; 1 where both are empty."""
        both = self.given_px + self.true_px
        return 2 * self.shared_px / both if both else 1.0


def overlap(given: np.ndarray, true: np.ndarray) -> Overlap:
    """The overlap of two H×W masks, any dtype, whatever isn't 0 being inside."""
    one, other = np.asarray(given) != 0, np.asarray(true) != 0
    return Overlap(*(int(np.count_nonzero(mask)) for mask in (one & other, one, other)))


def ciou(overlaps: Iterable[Overlap]) -> float:
    """Cumulative shared over cumulative joint pixels; 1 where there are none."""
    every = list(overlaps)
    joint = sum(one.joint_px for one in every)
    return sum(one.shared_px for one in every) / joint if joint else 1.0


def giou(overlaps: Iterable[Overlap]) -> float:
    """The mean of the pictures' IoU.

    Raises:
        ValueError: there are no pictures.
    """
    every = [one.iou for one in overlaps]
    if not every:
        raise ValueError("no picture; expected one or more")
    return float(np.mean(every))


def mask_measures(one: Overlap, name: str = "mask") -> dict[str, float]:
    """IoU, Dice and whether the IoU reaches each step, by name, such as `mask_iou`."""
    steps = {f"{name}_accuracy_{round(100 * step)}": float(one.iou >= step) for step in IOU_STEPS}
    return {f"{name}_iou": one.iou, f"{name}_dice": one.dice, **steps}


def mask_tallies(one: Overlap, name: str = "mask") -> dict[str, float]:
    """What cumulative IoU adds up."""
    return {f"{name}_shared_px": float(one.shared_px), f"{name}_joint_px": float(one.joint_px)}


def filled_box(box: Sequence[float], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, of the pixels whose centres lie in a box; what lies outside is cut off."""
    x0, y0, x1, y1 = (max(0, ceil(edge - 0.5)) for edge in box)
    filled = np.zeros(size_hw_px, np.uint8)
    filled[y0:y1, x0:x1] = 1
    return filled


def filled_ring(ring: Sequence[Sequence[float]], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, of a closed ring of (x, y); empty for fewer than three corners."""
    if len(ring) < 3:
        return np.zeros(size_hw_px, np.uint8)
    return fill_polygons([np.asarray(ring, np.float64)], size_hw_px)


def united(masks: Iterable[np.ndarray], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, of all pixels in any of them."""
    union = np.zeros(size_hw_px, np.uint8)
    for one in masks:
        np.bitwise_or(union, one, out=union)
    return union


def stored(counts: Iterable[str], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, of several run-length encodings, united; it can't be written to.

    Raises:
        RegionError: `bad-rle`.
    """
    return _stored(tuple(counts), size_hw_px)


@lru_cache(maxsize=8)
def _stored(counts: tuple[str, ...], size_hw_px: tuple[int, int]) -> np.ndarray:
    """One picture is asked about many times in a row, and its observers are compared each time."""
    mask = united((mask_from_rle(one, size_hw_px) for one in counts), size_hw_px)
    mask.flags.writeable = False
    return mask
