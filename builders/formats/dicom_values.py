"""What the stored pixels of a DICOM image mean: palettes, modality LUT, HU, SUV, VOI LUT, window, padding, MONOCHROME1.

The order is that of PS3.3 C.11: padding out, modality LUT, then (for pictures) the VOI LUT sequence. Windows are only
noted. MONOCHROME1 is mirrored at the middle of its range, value → lowest + highest − value, and so is the window, so
that more is brighter everywhere; HU and SUV are never mirrored, since they are measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...schema.errors import Issue, Severity
from ..picture import Report
from .dicom_header import faults, items, number, numbers, text, texts
from .dicom_pixels import Layout

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Range = tuple[str, float, float]
MEASURED = frozenset({"MR", "CT", "PT", "NM"})
"""Modalities whose 8-bit values are measurements all the same, and no display values."""


@dataclass(frozen=True, slots=True)
class Values:
    """Pixels after the modality LUT: int16, int32 or float32, or uint8 where they may be stored as they are."""

    pixels: np.ndarray
    meaning: str
    """`grey`, `rgb`, `hu`, `suv` or `stored`."""
    window: Range | None = None
    transformations: tuple[str, ...] = ()


def values_of(
    stored: np.ndarray, header: Dataset, layout: Layout, *, voi_lut: bool, suv: float | None, where: str, report: Report
) -> Values:
    """The meaning of one frame. `header` holds the frame's own elements; `suv` is SUV per unit of the modality LUT."""
    if stored.ndim == 3 or layout.photometric == "PALETTE COLOR":
        return _colour(stored, header, layout)
    finite = _finite(stored, where, report)
    padding = _padding(finite, header)
    scaled, meaning = _modality(finite, header)
    values = Values(scaled, meaning, window_of(header, where, report), ())
    if suv is not None:
        values = _scaled(values, suv)
    if voi_lut and values.meaning == "stored" and items(header, "VOILUTSequence"):
        values = _voi_lut(values, header, where, report)
    if layout.photometric == "MONOCHROME1":
        values = _mirrored(values, _range(header, layout), where, report)
    return _shaped(_unpadded(values, padding), header, layout)


def window_of(header: Dataset, where: str, report: Report) -> Range | None:
    """The first window of the header as (`header`, low, high) in values after the modality LUT (PS3.3 C.11.2.1.2).

    A linear window of width w at c runs from c − ½ − (w − 1)/2 to c − ½ + (w − 1)/2; an exact one from c − w/2 to
    c + w/2; of a sigmoid it is the tangent at its centre, which runs as an exact one.
    """
    centre, width = number(header, "WindowCenter"), number(header, "WindowWidth")
    if centre is None or width is None:
        return None
    shape = text(header, "VOILUTFunction").upper() or "LINEAR"
    linear = shape == "LINEAR"
    if width < 1 if linear else width <= 0:
        found = f"a window of width {width:g}"
        report(Issue("odd-header", where, found, "a width above 0", "it was ignored", Severity.INFO))
        return None
    middle, half = (centre - 0.5, max(width - 1, 1e-3) / 2) if linear else (centre, width / 2)
    return ("header-sigmoid" if shape == "SIGMOID" else "header", middle - half, middle + half)


def shrunk(array: np.ndarray) -> np.ndarray:
    """The same integers as int16 where they fit, else int32; others, and larger ones, as float32."""
    if array.dtype.kind in "iu" and array.size:
        low, high = int(array.min()), int(array.max())
        for dtype in (np.int16, np.int32):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                return array.astype(dtype, copy=False)
    return array.astype(np.float32, copy=False)


def _colour(stored: np.ndarray, header: Dataset, layout: Layout) -> Values:
    """RGB in 8 bits: the palette applied, deeper samples cut to their upper 8 bits, as a display would."""
    done: tuple[str, ...] = ()
    bits = layout.bits_stored
    if layout.photometric == "PALETTE COLOR" and stored.ndim == 2:
        from pydicom.pixels.processing import apply_color_lut

        stored, done = apply_color_lut(stored, header)[..., :3], ("palette",)
        bits = 16 if stored.dtype.itemsize == 2 and stored.max(initial=0) > 255 else 8
    if bits > 8:
        stored, done = stored >> (bits - 8), (*done, f"{bits}-to-8-bit")
    return Values(np.ascontiguousarray(stored, dtype=np.uint8), "rgb", None, done)


def _finite(stored: np.ndarray, where: str, report: Report) -> np.ndarray:
    if stored.dtype.kind != "f" or np.isfinite(stored).all():
        return stored
    good = np.isfinite(stored)
    found = f"{int((~good).sum())} values that are no numbers"
    report(Issue("not-finite", where, found, "finite pixels", "they were set to the minimum", Severity.WARNING))
    return np.where(good, stored, stored[good].min() if good.any() else 0)


def _padding(stored: np.ndarray, header: Dataset) -> np.ndarray | None:
    """Where no tissue was measured, by Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2); None for nowhere."""
    value = number(header, "PixelPaddingValue")
    if value is None:
        return None
    limit = number(header, "PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    found = (stored >= low) & (stored <= high)
    return found if found.any() and not found.all() else None


def _modality(stored: np.ndarray, header: Dataset) -> tuple[np.ndarray, str]:
    """Values after the modality LUT or the rescale, and `hu` where they are Hounsfield units."""
    if items(header, "ModalityLUTSequence") and stored.dtype.kind in "iu":
        from pydicom.pixels.processing import apply_modality_lut

        return apply_modality_lut(stored, header), "stored"
    slope, intercept = number(header, "RescaleSlope"), number(header, "RescaleIntercept")
    if slope is None or intercept is None:
        return stored, "stored"
    meaning = "hu" if _is_hounsfield(header) else "stored"
    if (slope, intercept) == (1.0, 0.0):
        return stored, meaning
    if stored.dtype.kind in "iu" and slope == int(slope) and intercept == int(intercept):
        return stored.astype(np.int64) * int(slope) + int(intercept), meaning
    return (stored.astype(np.float64) * slope + intercept).astype(np.float32), meaning


def _is_hounsfield(header: Dataset) -> bool:
    """CT whose rescale type is HU, or unstated on an original slice: PS3.3 C.8.2.1.1.2 makes that HU, but for scouts."""
    kind = texts(header, "ImageType")
    stated = text(header, "RescaleType").upper()
    return text(header, "Modality").upper() == "CT" and stated in ("HU", "") and "LOCALIZER" not in kind


def _scaled(values: Values, factor: float) -> Values:
    pixels = (values.pixels.astype(np.float64) * factor).astype(np.float32)
    window = None if values.window is None else ("header", values.window[1] * factor, values.window[2] * factor)
    return Values(pixels, "suv", window, values.transformations)


def _voi_lut(values: Values, header: Dataset, where: str, report: Report) -> Values:
    """Display values of the first VOI LUT, whose whole range becomes the window."""
    from pydicom.pixels.processing import apply_voi

    lut = items(header, "VOILUTSequence")[0]
    descriptor = numbers(lut, "LUTDescriptor", count=3)
    try:
        shown = apply_voi(np.rint(values.pixels).astype(np.int64), header)
    except faults():
        found, expected = "a VOI LUT that can't be applied", "a LUT as PS3.3 C.11.2 has it"
        report(Issue("odd-header", where, found, expected, "it was ignored", Severity.WARNING))
        return values
    bits = int(descriptor[2]) if descriptor else 16
    return Values(shown, "stored", ("voi-lut", 0.0, float((1 << bits) - 1)), (*values.transformations, "voi-lut"))


def _mirrored(values: Values, bounds: tuple[float, float], where: str, report: Report) -> Values:
    if values.meaning in ("hu", "suv"):
        found, kept = f"MONOCHROME1 over {values.meaning.upper()}", "the values were kept as they are"
        report(Issue("odd-header", where, found, "MONOCHROME2", kept, Severity.INFO))
        return values
    window = values.window
    low, high = (0.0, window[2]) if window and window[0] == "voi-lut" else bounds
    if values.pixels.dtype.kind in "iu":
        pixels = int(low + high) - values.pixels.astype(np.int64)
    else:
        pixels = (low + high) - values.pixels
    turned = None if window is None else (window[0], low + high - window[2], low + high - window[1])
    return Values(pixels, values.meaning, turned, (*values.transformations, "monochrome1-inverted"))


def _range(header: Dataset, layout: Layout) -> tuple[float, float]:
    """Lowest and highest value that the modality LUT can give."""
    low, high = (float(bound) for bound in layout.stored_range)
    for lut in items(header, "ModalityLUTSequence")[:1]:
        entries = numbers(lut, "LUTData")
        if entries:
            return min(entries), max(entries)
    slope, intercept = number(header, "RescaleSlope"), number(header, "RescaleIntercept")
    if slope is not None and intercept is not None:
        low, high = sorted((low * slope + intercept, high * slope + intercept))
    return low, high


def _unpadded(values: Values, padding: np.ndarray | None) -> Values:
    """Padding as dark as the darkest measured pixel of its frame, since raw padding may lie above all tissue."""
    if padding is None:
        return values
    pixels = values.pixels.copy()
    pixels[padding] = pixels[~padding].min()
    return replace(values, pixels=pixels, transformations=(*values.transformations, "padding-to-minimum"))


def _shaped(values: Values, header: Dataset, layout: Layout) -> Values:
    """Display-ready 8 bits as uint8 `grey`; everything else in the smallest type that holds it, with its window."""
    if layout.bits_allocated == 1:
        return Values(values.pixels.astype(np.uint8) * 255, "grey", None, (*values.transformations, "1-to-8-bit"))
    measured = text(header, "Modality").upper() in MEASURED
    if values.meaning == "stored" and not measured and _is_display(values, layout):
        return Values(values.pixels.astype(np.uint8), "grey", None, values.transformations)
    window = values.window
    if window is None and values.meaning == "stored" and not measured and layout.bits_stored < 8:
        low, high = layout.stored_range
        window = ("stored-range", float(low), float(high))
    return Values(np.ascontiguousarray(shrunk(values.pixels)), values.meaning, window, values.transformations)


def _is_display(values: Values, layout: Layout) -> bool:
    """Whether the values are 8-bit display values as they stand: no window, or one that spans them all."""
    pixels, window = values.pixels, values.window
    if layout.bits_stored != 8 or layout.signed or pixels.dtype.kind not in "iu":
        return False
    if window is not None and (window[0] == "voi-lut" or window[1] > 0.5 or not 254.0 <= window[2] <= 256.0):
        return False
    return bool(pixels.min(initial=0) >= 0 and pixels.max(initial=0) <= 255)
