"""Run-length encodings as text and as runs, in the form that `region.py` states; no pixel is touched here.

What a file holds is parsed by numpy and proven first: pycocotools' own decoder is C and trusts whatever it is given.
Inside, a mask is either `lengths` (int64, background and foreground in turn, summing to the image's pixels) or `spans`
(int64 starts and exclusive ends of the foreground, sorted, apart), both counting pixels down the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco

from .errors import RegionError

MAX_CHUNKS = 7
"""Characters per run: five bits each, so that a run and its sign fit any image."""


def rle_area(counts: str, size_hw_px: tuple[int, int]) -> int:
    """The number of pixels inside.

    Raises:
        RegionError: `bad-rle`.
    """
    return int(lengths_from_rle(counts, size_hw_px)[1::2].sum())


def check_rle(counts: str, size_hw_px: tuple[int, int]) -> str:
    """The counts, proven to describe a mask of this size; time and memory grow with the string alone.

    Raises:
        RegionError: `bad-rle`.
    """
    lengths_from_rle(counts, size_hw_px)
    return counts


def rle_from_uncompressed(runs: Sequence[int], size_hw_px: tuple[int, int]) -> str:
    """The counts of COCO's uncompressed form: lengths of background and foreground in turn, column-major.

    Raises:
        RegionError: `bad-rle` unless the lengths are whole, not negative, and sum to the image's pixels.
    """
    pixels = pixel_count(size_hw_px)
    lengths = whole_numbers(runs, most=pixels)
    if lengths.sum() != pixels:
        raise bad_rle(f"runs that sum to {lengths.sum()}", f"{pixels}, the image's pixels")
    return rle_from_spans(*spans_from_lengths(lengths), size=size_hw_px)


def lengths_from_rle(counts: str, size_hw_px: tuple[int, int]) -> np.ndarray:
    """The lengths in a text that nobody has read yet.

    Raises:
        RegionError: `bad-rle`.
    """
    pixels = pixel_count(size_hw_px)
    lengths = _undo_deltas(_numbers(_chunks(counts, pixels)))
    if (lengths < 0).any() or (lengths > pixels).any() or lengths.sum() != pixels:
        raise bad_rle(f"RLE whose runs sum to {lengths.sum()}", f"runs of 0 or more that sum to {pixels}")
    return lengths


def rle_from_spans(starts: np.ndarray, ends: np.ndarray, *, size: tuple[int, int]) -> str:
    """COCO's compressed counts of these spans on an image of this (height, width)."""
    height, width = size
    bounds = np.empty(2 * starts.size + 2, np.int64)
    bounds[0], bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = 0, starts, ends, height * width
    lengths = np.diff(bounds)
    lengths = lengths if lengths[-1] else lengths[:-1]
    uncompressed: Any = {"counts": lengths, "size": [height, width]}  # its stub knows the compressed form alone
    encoded: Any = coco.frPyObjects(uncompressed, height, width)
    return encoded["counts"].decode("ascii")


def spans_from_lengths(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The starts and ends of the foreground, empty runs dropped and runs that touch joined."""
    bounds, count = np.cumsum(lengths), lengths.size // 2
    starts, ends = bounds[: 2 * count : 2], bounds[1::2]
    real = ends > starts
    if not real.all():
        starts, ends = starts[real], ends[real]
    apart = starts[1:] != ends[:-1]
    if apart.all():
        return starts, ends
    return starts[np.r_[True, apart]], ends[np.r_[apart, True]]


def whole_numbers(items: Sequence[object], *, most: int) -> np.ndarray:
    """The items, numbers or texts, as int64.

    Raises:
        RegionError: `bad-rle` for anything but whole numbers from 0 to `most`.
    """
    try:
        numbers = [int(item) if isinstance(item, str) else item for item in items]
        array = np.asarray(numbers) if numbers else np.zeros(0, np.int64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.ndim != 1 or array.dtype.kind not in "ui" or (array.size and not 0 <= array.min() <= array.max() <= most):
        raise bad_rle(f"runs {str(items)[:40]}", f"whole numbers from 0 to {most}")
    return array.astype(np.int64)


def pixel_count(size_hw_px: tuple[int, int]) -> int:
    """Height times width.

    Raises:
        RegionError: `bad-size` unless both are above 0.
    """
    height, width = size_hw_px
    if height > 0 and width > 0:
        return int(height) * int(width)
    raise RegionError(f"size {size_hw_px}", expected="height and width above 0", code="bad-size")


def bad_rle(found: str, expected: str) -> RegionError:
    """The error for encodings that describe no mask of their image."""
    return RegionError(found, expected=expected, code="bad-rle")


def _chunks(counts: str, pixels: int) -> np.ndarray:
    """The characters as numbers 0 to 63: five bits, and whether more of the number follow."""
    if not isinstance(counts, str) or not counts or not counts.isascii():
        raise bad_rle(f"RLE {str(counts)[:40]!r}", "a text of ASCII characters")
    if len(counts) > MAX_CHUNKS * (pixels + 2):
        raise bad_rle(f"RLE of {len(counts)} characters", f"no more than {pixels} pixels need")
    chunks = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - 48
    if chunks.min() < 0 or chunks.max() > 63 or chunks[-1] & 32:
        raise bad_rle(f"RLE {counts[:40]!r}", "characters '0' to 'o', the last one ending a number")
    return chunks


def _numbers(chunks: np.ndarray) -> np.ndarray:
    """The signed numbers that little-endian groups of five bits spell."""
    ends = np.flatnonzero((chunks & 32) == 0)
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    sizes = ends - starts + 1
    if sizes.max() > MAX_CHUNKS:
        raise bad_rle(f"RLE with a number of {sizes.max()} characters", f"at most {MAX_CHUNKS}")
    place = np.arange(chunks.size) - np.repeat(starts, sizes)
    numbers = np.add.reduceat((chunks & 31) << (5 * place), starts)
    return np.where(chunks[ends] & 16, numbers - (1 << (5 * sizes)), numbers)


def _undo_deltas(numbers: np.ndarray) -> np.ndarray:
    """Run lengths from numbers that, from the fourth on, are differences to the one two before."""
    lengths = numbers.copy()
    lengths[1::2] = np.cumsum(numbers[1::2])
    lengths[2::2] = np.cumsum(numbers[2::2])
    return lengths
