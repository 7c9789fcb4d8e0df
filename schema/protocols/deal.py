"""Seeded order, and the arithmetic of quotas: nothing here knows what a sample is.

Every draw is SHA-256 of the protocols' name, the seed and a name, so that it is the same on every machine and doesn't
move when other names come or go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

_DOMAIN = "medloom-protocols-1"


def shuffled(seed: int, kind: str, names: Iterable[str]) -> np.ndarray:
    """The place of each name in a seeded order, int64, a permutation; equal draws stand in the order given."""
    start = hashlib.sha256("\0".join((_DOMAIN, str(seed), kind, "")).encode())
    drawn = b"".join(_drawn(start, name) for name in names)
    return ranks(np.frombuffer(drawn, ">u8"))


def ranks(values: np.ndarray) -> np.ndarray:
    """The place of each value in ascending order, int64; equal values stand in the order given."""
    place = np.empty(len(values), np.int64)
    place[np.argsort(values, kind="stable")] = np.arange(len(values))
    return place


def places(order: np.ndarray, *within: np.ndarray) -> np.ndarray:
    """The place of each entry, from 0, among those that are equal in all of `within`; ascending `order`, int64."""
    by = np.lexsort((order, *reversed(within)))
    count = np.arange(len(order))
    starts = np.zeros(len(order), bool)
    starts[:1] = True
    for column in within:
        starts[1:] |= column[by][1:] != column[by][:-1]
    place = np.empty(len(order), np.int64)
    place[by] = count - np.maximum.accumulate(np.where(starts, count, 0))
    return place


def water_fill(counts: Sequence[int], total: int) -> list[int]:
    """How many to take of each so that `total` are taken in all (or everything) as evenly as the counts allow.

    From the smallest on, each gives its equal share of what is left, or all it has: what doesn't divide falls to the largest.
    """
    quotas, left = [0] * len(counts), min(total, sum(counts))
    ascending = sorted(range(len(counts)), key=lambda one: counts[one])
    for waiting, one in zip(range(len(counts), 0, -1), ascending, strict=True):
        quotas[one] = min(counts[one], left // waiting)
        left -= quotas[one]
    return quotas


def fill(sizes: np.ndarray, target: float, *, some: bool = False) -> np.ndarray:
    """Which of the sizes, in their order, to take for a sum near the target; booleans.

    One that would overshoot by more than it helps is passed by, so the sum is never over by more than one. With `some`,
    where nothing fits and there are two or more, the first of the smallest is taken.
    """
    chosen, left = np.zeros(len(sizes), bool), float(target)
    for one, size in enumerate(sizes.tolist()):
        if left <= 0:
            break
        if 0 < size <= 2 * left:
            chosen[one] = True
            left -= size
    filled = np.flatnonzero(sizes > 0)
    if some and target > 0 and len(filled) > 1 and not chosen.any():
        chosen[filled[np.argmin(sizes[filled])]] = True
    return chosen


def _drawn(start, name: str) -> bytes:
    draw = start.copy()
    draw.update(name.encode(errors="surrogateescape"))
    return draw.digest()[:8]
