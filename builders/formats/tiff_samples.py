"""Samples as TIFF stores them to the numbers that a picture holds: photometric interpretation, palettes, alpha, depth."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np

from ...schema.errors import Issue, UnreadableError
from ...schema.sample import Acquisition
from ..picture import HeaderFacts, Picture, Report
from .channels import without_alpha


def picture(
    pixels: np.ndarray, *, um: float | None, notes: tuple[str, ...], raw_format: str, axis: str | None, index: int
) -> Picture:
    """A picture of decoded pixels, with what is known of their size."""
    return Picture(
        pixels=np.ascontiguousarray(pixels),
        facts=HeaderFacts(acquisition=Acquisition(um_per_px=um)),
        axis=axis,
        index=index if axis else None,
        values="rgb" if pixels.ndim == 3 else "grey" if pixels.dtype == np.uint8 else "stored",
        raw_format=raw_format,
        decoder=decoder_name(),
        transformations=notes,
    )


def decoder_name() -> str:
    """Names and versions of what decodes TIFF."""
    return f"tifffile {version('tifffile')} (imagecodecs {version('imagecodecs')})"


def natural(array: np.ndarray, key: Any, *, where: str, report: Report) -> tuple[np.ndarray, tuple[str, ...]]:
    """Stored samples by their photometric interpretation: grey with black at 0, or RGB; alpha laid on black.

    Raises:
        UnreadableError: `unsupported` for colour spaces and sample counts that aren't read.
    """
    photometric, samples = int(key.photometric), array.shape[2] if array.ndim == 3 else 1
    array, notes = _numbers(array, key, where=where, report=report)
    if photometric == 3 and key.colormap is not None:
        return _through_palette(array, key.colormap), ("palette-to-rgb",)
    if photometric == 5 and samples == 4 and array.dtype == np.uint8:
        ink = 255 - array.astype(np.uint16)
        return ((ink[..., :3] * ink[..., 3:] + 127) // 255).astype(np.uint8), (*notes, "cmyk-to-rgb")
    jpeg = int(key.compression) in (6, 7)
    if (photometric not in (0, 1, 2) and not (photometric == 6 and jpeg)) or samples > 4:
        found = f"photometric interpretation {key.photometric!r} with {samples} samples"
        raise UnreadableError(found, expected="grey, RGB or a palette", where=where, code="unsupported")
    if photometric == 0 and array.dtype.kind == "u":
        array, notes = np.iinfo(array.dtype).max - array, (*notes, "white-is-zero-inverted")
    if samples in (2, 4):
        array, note = _without_extra(array, key)
        notes = (*notes, note)
    return (array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array), notes


def _numbers(array: np.ndarray, key: Any, *, where: str, report: Report) -> tuple[np.ndarray, tuple[str, ...]]:
    """Finite numbers in at most 32 bits; depths below 8 bit spread over 0 to 255."""
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255), ("1-bit-to-8-bit",)
    if array.dtype.kind not in "iuf":
        raise UnreadableError(f"pixels of {array.dtype}", expected="real numbers", where=where, code="unsupported")
    if array.dtype == np.uint8 and key.bitspersample < 8 and int(key.photometric) != 3:
        most = (1 << key.bitspersample) - 1
        return (array.astype(np.uint16) * 255 // most).astype(np.uint8), (f"{key.bitspersample}-bit-to-8-bit",)
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array)
        if bad.any():
            least = array[~bad].min() if not bad.all() else 0
            done = f"they became the least finite value, {least:g}"
            report(Issue("not-finite", where, f"{int(bad.sum())} pixels are NaN or infinite", "finite numbers", done))
            array = np.where(bad, array.dtype.type(least), array)
        return array.astype(np.float32, copy=False), ()
    return array.astype(array.dtype.newbyteorder("="), copy=False), ()


def _through_palette(array: np.ndarray, colormap: np.ndarray) -> np.ndarray:
    table = np.asarray(colormap).T
    if table.max() > 255:
        table = table >> 8
    return table.astype(np.uint8)[array]


def _without_extra(array: np.ndarray, key: Any) -> tuple[np.ndarray, str]:
    """Without the last sample: straight alpha (2) is laid on black, associated alpha (1) already is."""
    extra = tuple(int(kind) for kind in (key.extrasamples or ()))
    if extra[-1:] == (2,) and array.dtype.kind == "u":
        flat, note = without_alpha(array)
        return flat, note or ""
    colour = array[..., :-1]
    note = "alpha-on-black" if extra[-1:] == (1,) else "extra-sample-dropped"
    return np.ascontiguousarray(colour[..., 0] if colour.shape[2] == 1 else colour), note
