"""Run lengths of a mask read fast: most regions have few runs, for which numpy's calls cost more than the work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from ...schema.rle import lengths_from_rle

_SHORT = 400
"""Characters up to which plain Python is the faster reader."""
_PLAIN = re.compile("[0-o]*[0-O]")
"""COCO's characters, the last of which ends a number."""
_NUMBER = re.compile("[P-o]*[0-O]")
_KEPT = 3
"""Characters of the longest words whose numbers are kept: there are 33 824 of them."""


def run_lengths(counts: str, size_hw_px: tuple[int, int]) -> Sequence[int]:
    """Lengths of background and foreground in turn, down the columns: a tuple or int64 array that sums to the image's pixels.

    Raises:
        RegionError: `bad-rle`.
    """
    if len(counts) <= _SHORT:
        lengths = _short(counts, size_hw_px[0] * size_hw_px[1])
        if lengths is not None:
            return lengths
    return lengths_from_rle(counts, size_hw_px)  # pyright: ignore[reportReturnType]


@lru_cache(1 << 6)
def _short(counts: str, pixels: int) -> tuple[int, ...] | None:
    """The lengths that a text spells; None where it spells no mask of so many pixels, or none that is plain to see."""
    if not _PLAIN.fullmatch(counts):
        return None
    lengths = list(map(_NUMBERS.__getitem__, _NUMBER.findall(counts)))
    lengths[1::2] = accumulate(lengths[1::2])
    lengths[2::2] = accumulate(lengths[2::2])
    return tuple(lengths) if min(lengths) >= 0 and sum(lengths) == pixels else None


def _number(word: str) -> int:
    """The signed number that little-endian groups of five bits spell."""
    value = 0
    for place, chunk in enumerate(word.encode()):
        value |= (chunk - 48 & 31) << 5 * place
    return value - ((word.encode()[-1] - 48 & 16) << 5 * len(word) - 4)


class _Numbers(dict[str, int]):
    """What words spell, found when first asked for; short ones are kept."""

    def __missing__(self, word: str) -> int:
        number = _number(word)
        if len(word) <= _KEPT:
            self[word] = number
        return number


_NUMBERS = _Numbers()
