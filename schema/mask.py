"""Masks and label maps to run-length encodings and back, in the frame that `region.py` states."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np

from .box import Box
from .errors import RegionError
from .rle import bad_rle, lengths_from_rle, pixel_count, rle_from_spans, spans_from_lengths, whole_numbers


@dataclass(frozen=True)
class LabelMask:
    """One value of a label map, with what a record says of it."""

    value: int
    rle: str
    """COCO counts on the label map's size."""
    box: Box
    """Tight, in px, ends exclusive."""
    area_px: int


def label_masks(labels: np.ndarray, values: Collection[int] | None = None) -> list[LabelMask]:
    """One mask per value that is present, sorted by value, without 0.

    Args:
        labels: H×W, any integer dtype or bool, any memory order.
        values: Only these, where given.

    Raises:
        RegionError: `bad-mask` for another shape or dtype.
    """
    labels = _plane(labels)
    if not labels.any():
        return []
    height, width = labels.shape
    starts, ends, held = _labelled_runs(labels)
    wanted = held != 0 if values is None else (held != 0) & np.isin(held, list(values))
    order = np.flatnonzero(wanted)
    order = order[np.argsort(held[order], kind="stable")]
    starts, ends, held = starts[order], ends[order], held[order]
    cuts = np.flatnonzero(np.r_[True, held[1:] != held[:-1]][: held.size])
    boxes = _boxes(starts, ends, cuts=cuts, height=height)
    spans = zip(cuts, np.append(cuts, held.size)[1:], boxes, strict=True)
    return [_label_mask(int(held[a]), (starts[a:b], ends[a:b]), box, size=(height, width)) for a, b, box in spans]


def rle_from_mask(mask: np.ndarray) -> str:
    """The counts of an H×W mask, bool or integer, whatever isn't 0 being inside.

    Raises:
        RegionError: `bad-mask` for another shape or dtype, or a mask without pixels.
    """
    inside = _plane(mask) != 0
    if not inside.size:
        raise RegionError(f"mask of shape {inside.shape}", expected="at least one pixel", code="bad-mask")
    starts, ends, held = _labelled_runs(inside)
    return rle_from_spans(starts[held], ends[held], size=(inside.shape[0], inside.shape[1]))


def mask_from_rle(counts: str, size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, C-ordered.

    Raises:
        RegionError: `bad-rle`.
    """
    return _paint(lengths_from_rle(counts, size_hw_px), size_hw_px)


def mask_window(counts: str, size_hw_px: tuple[int, int], *, margin_px: int = 0) -> tuple[np.ndarray, tuple[int, int]]:
    """The mask (uint8 of 0 and 1, h×w) in its tight box and a margin around it, cut off at the image's edges.

    Beside it stand the row and column of its first pixel. An empty mask's window is 0×0, at (0, 0).

    Raises:
        RegionError: `bad-rle`.
    """
    starts, ends = spans_from_lengths(lengths_from_rle(counts, size_hw_px))
    if not starts.size:
        return np.zeros((0, 0), np.uint8), (0, 0)
    height, width = size_hw_px
    box = _boxes(starts, ends, cuts=np.zeros(1, np.intp), height=height)[0]
    left, top = (max(int(side) - margin_px, 0) for side in box[:2])
    right, bottom = min(int(box[2]) + margin_px, width), min(int(box[3]) + margin_px, height)
    bounds = np.stack([starts, ends], axis=1).reshape(-1) - left * height
    strip = _runs(np.diff(bounds, prepend=0, append=(right - left) * height)).reshape(right - left, height)
    return _columns(strip[:, top:bottom]), (top, left)


def rle_box(counts: str, size_hw_px: tuple[int, int]) -> Box:
    """The tight box of the mask.

    Raises:
        RegionError: `bad-rle`, or `empty-mask` where no pixel is inside.
    """
    starts, ends = spans_from_lengths(lengths_from_rle(counts, size_hw_px))
    if not starts.size:
        raise RegionError("mask without a pixel", expected="at least one pixel inside", code="empty-mask")
    return _boxes(starts, ends, cuts=np.zeros(1, np.intp), height=size_hw_px[0])[0]


def rle_from_start_length(text: str, size_hw_px: tuple[int, int], *, order: str = "F") -> str:
    """The counts of a "start length start length …" text, as Kaggle's tables hold it.

    Args:
        text: Whole numbers between blanks; starts count from 1. An empty text is an empty mask.
        size_hw_px: (height, width).
        order: "F" where starts count down the columns, "C" where they count along the rows.

    Raises:
        RegionError: `bad-rle` for other text, or runs that overlap, are empty or leave the image.
    """
    pixels = pixel_count(size_hw_px)
    pairs = whole_numbers(text.split(), most=pixels)
    if pairs.size % 2:
        raise bad_rle(f"{pairs.size} numbers", "pairs of start and length")
    starts, lengths = pairs[0::2] - 1, pairs[1::2]
    by_start = np.argsort(starts, kind="stable")
    starts, ends = starts[by_start], (starts + lengths)[by_start]
    bounds = np.stack([starts, ends], axis=1).reshape(-1)
    if (lengths < 1).any() or (np.diff(bounds) < 0).any() or (bounds.size and not 0 <= bounds[0] < bounds[-1] <= pixels):
        raise bad_rle("runs that overlap, are empty or leave the image", f"runs within 1 to {pixels}")
    lengths = np.diff(np.r_[0, bounds, pixels])
    if order == "F":
        return rle_from_spans(*spans_from_lengths(lengths), size=size_hw_px)
    return rle_from_mask(_paint(lengths, (size_hw_px[1], size_hw_px[0])).T)


def mask_iou(first: np.ndarray, second: np.ndarray) -> float:
    """Shared pixels over joint pixels of two H×W masks, 0 to 1; 1 where both are empty, since they agree.

    Raises:
        RegionError: `mask-size` where the shapes differ.
    """
    if first.shape != second.shape:
        raise RegionError(f"mask of shape {first.shape}", expected=f"{second.shape}", code="mask-size")
    one, other = first != 0, second != 0
    joint = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / joint if joint else 1.0


def _plane(array: np.ndarray) -> np.ndarray:
    """The array in one block of memory: a strided slice of a volume costs a cache miss per pixel at each pass."""
    array = np.asarray(array)
    if array.ndim != 2 or array.dtype.kind not in "bui":
        found = f"{array.dtype} array of shape {array.shape}"
        raise RegionError(found, expected="an H×W array of integers or bool", code="bad-mask")
    return array if array.flags.c_contiguous or array.flags.f_contiguous else array.copy(order="K")


def _labelled_runs(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts, ends and values of the longest equal runs in column-major order, 0 included.

    Only one byte per pixel is transposed, whatever the dtype: that pass dominates.
    """
    height = labels.shape[0]
    change = np.empty_like(labels, dtype=bool)
    np.not_equal(labels[1:], labels[:-1], out=change[1:])
    np.not_equal(labels[0, 1:], labels[-1, :-1], out=change[0, 1:])
    change[0, 0] = True
    starts = np.flatnonzero(_columns(change.view(np.uint8)).view(bool))
    column, row = np.divmod(starts, height)
    return starts, np.append(starts[1:], labels.size), labels[row, column]


def _columns(plane: np.ndarray) -> np.ndarray:
    """The W×H transpose of a uint8 array, C-ordered; cv2 is ten times as fast as numpy here."""
    return plane.T if plane.flags.f_contiguous else np.asarray(cv2.transpose(plane))


def _label_mask(value: int, runs: tuple[np.ndarray, np.ndarray], box: Box, *, size: tuple[int, int]) -> LabelMask:
    starts, ends = runs
    return LabelMask(value, rle_from_spans(starts, ends, size=size), box, int((ends - starts).sum()))


def _boxes(starts: np.ndarray, ends: np.ndarray, *, cuts: np.ndarray, height: int) -> list[Box]:
    """The tight box of each group of runs, the groups beginning at `cuts`."""
    if not starts.size:
        return []
    x0, y0 = np.divmod(starts, height)
    x1, y1 = np.divmod(ends - 1, height)
    wraps = x0 != x1  # it touches the foot of one column and the head of the next
    y0[wraps], y1[wraps] = 0, height - 1
    least = (np.minimum.reduceat(side, cuts).astype(float).tolist() for side in (x0, y0))
    most = (np.maximum.reduceat(side + 1, cuts).astype(float).tolist() for side in (x1, y1))
    return list(zip(*least, *most, strict=True))


def _paint(lengths: np.ndarray, size_hw_px: tuple[int, int]) -> np.ndarray:
    height, width = size_hw_px
    return _columns(_runs(lengths).reshape(width, height))


def _runs(lengths: np.ndarray) -> np.ndarray:
    """Zeros and ones in turn, uint8, as many of each as its length says."""
    return np.repeat(np.arange(lengths.size, dtype=np.int64).astype(np.uint8) & 1, lengths)
