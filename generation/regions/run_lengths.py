"""Run lengths of a mask read fast: most regions have few runs, for which numpy's calls cost more than the work."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...schema.rle import lengths_from_rle

_SHORT = 400
"""Characters up to which plain Python is the faster reader."""
_PLAIN = re.compile("[0-o]*[0-O]")
"""COCO's characters, the last of which ends a number."""


def run_lengths(counts: str, size_hw_px: tuple[int, int]) -> Sequence[int]:
    """Lengths of background and foreground in turn, down the columns: a list or int64 array that sums to the image's pixels.

    Raises:
        RegionError: `bad-rle`.
    """
    if len(counts) <= _SHORT and _PLAIN.fullmatch(counts):
        lengths = _decoded(counts)
        if sum(lengths) == size_hw_px[0] * size_hw_px[1] and min(lengths) >= 0:
            return lengths
    return lengths_from_rle(counts, size_hw_px)  # pyright: ignore[reportReturnType]


def _decoded(counts: str) -> list[int]:
    """What COCO's characters spell, whether that is a mask or not."""
    lengths: list[int] = []
    value = shift = 0
    for character in counts.encode():
        chunk = character - 48
        value |= (chunk & 31) << shift
        shift += 5
        if not chunk & 32:
            value -= (chunk >> 4 & 1) << shift
            lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
            value = shift = 0
    return lengths
