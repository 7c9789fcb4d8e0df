"""Native values to 8 bit, before any resampling; every rule says what it did.

CT goes by a named window, PET by a fixed range of SUV, arbitrary units (MR and others) by percentiles of the whole volume so
that neighbouring slices compare. A window (low, high) maps low to 0 and high to 255, linearly, rounded to nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .source import SOFT_TISSUE, Reading

SUV_WINDOW = ("suv", 0.0, 10.0)
_SAMPLE = 1 << 22
"""Percentiles are taken over at most about so many voxels, by a regular stride."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How values become 8 bit: `name` as in Provenance.intensity, and the window where there is one."""

    name: str
    window_name: str | None = None
    window: tuple[float, float] | None = None


UNCHANGED = Rule("unchanged")


def rule_for(array: np.ndarray, *, values: str, window: tuple[str, float, float] | None, reading: Reading) -> Rule:
    """The rule for a whole picture or volume.

    `values` is what the numbers mean (see `picture.py`); `window` is the unit's or the header's own.
    """
    if values in ("rgb", "grey") and array.dtype == np.uint8:
        return UNCHANGED
    if values == "hu":
        if reading.window is not None:
            return Rule("window", reading.window.name, (reading.window.low, reading.window.high))
        if window is None:
            return Rule("window", SOFT_TISSUE.name, (SOFT_TISSUE.low, SOFT_TISSUE.high))
    if values == "suv":
        return Rule("suv", SUV_WINDOW[0], SUV_WINDOW[1:])
    if window is not None and window[2] > window[1]:
        return Rule("window", window[0], (float(window[1]), float(window[2])))
    if values in ("rgb", "grey"):
        return Rule("range", "full", _full_range(array))
    return Rule("percentile", None, foreground_percentiles(array, reading.percentiles))


def foreground_percentiles(array: np.ndarray, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Low percentile of all values above the smallest, high percentile of the values above the mean.

    Air is often half of an MR volume: counted in, it would push the upper end into the tissue. The mean as the border of
    foreground is TorchIO's. A constant array gives (v, v).
    """
    flat = array.reshape(-1)
    flat = flat[:: flat.size // _SAMPLE | 1]  # odd, or it would visit the same few columns of every row
    above = flat[flat > flat.min()]
    if not above.size:
        return float(flat[0]), float(flat[0])
    bright = flat[flat > flat.mean(dtype=np.float64)]
    low, high = np.percentile(above, percentiles[0]), np.percentile(bright, percentiles[1])
    if high <= low:
        low, high = flat.min(), above.max()
    return float(low), float(high)


def to_8bit(array: np.ndarray, rule: Rule) -> np.ndarray:
    """The slice as contiguous uint8, same shape."""
    if rule.window is None:
        return np.ascontiguousarray(array)
    if array.dtype in (np.int16, np.uint16):
        table = _table(array.dtype.str, rule.window)
        return cv2.LUT(np.ascontiguousarray(array).view(np.uint16), table).reshape(array.shape)
    return _scaled(array, rule.window)


def _scaled(array: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    low, high = window
    span = max(high - low, np.finfo(np.float64).tiny)
    share = (np.clip(array.astype(np.float64), low, max(high, low)) - low) / span
    return np.rint(share * 255).astype(np.uint8, order="C")


_tables: dict[tuple[str, tuple[float, float]], np.ndarray] = {}


def _table(dtype: str, window: tuple[float, float]) -> np.ndarray:
    """The window as a table over all 65536 bit patterns of a 16-bit type; the last few are kept."""
    if (dtype, window) not in _tables:
        if len(_tables) > 8:
            _tables.clear()
        _tables[dtype, window] = _scaled(np.arange(65536, dtype=np.uint16).view(dtype), window)
    return _tables[dtype, window]


def _full_range(array: np.ndarray) -> tuple[float, float]:
    if np.issubdtype(array.dtype, np.integer):
        return 0.0, float(np.iinfo(array.dtype).max)
    return float(array.min()), float(array.max())
