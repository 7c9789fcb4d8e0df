"""Mask pictures (PNG, BMP, GIF, WebP, JPEG, TIFF) to marks on the grid of their image. Never resized.

Palette files count by index where values mean labels (as Pascal VOC has it), by brightness where a threshold decides.
One-bit files hold 0 and 1, or 0 and 255 where the source names 255.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Report
from ..unit import Mark, MaskImage
from .channels import upright
from .label_map import value_counts
from .raster import load, opened
from .signature import kind_of, not_empty

EQUAL_ENOUGH = 16
"""Largest difference between the channels of a grey mask that went through colour JPEG."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    pixels: np.ndarray
    """H×W or H×W×C; of palettes the indices."""
    one_bit: bool = False
    bright: np.ndarray | None = None
    """Of palettes, H×W×3."""


def marks(path: Path, target: MaskImage, *, size_hw_px: tuple[int, int], report: Report) -> list[Mark]:
    """Marks with bool masks of the image's size; none where the mask is empty, of another size, or in real colours.

    With `values` each grey value is a label (an empty label means background); values that aren't listed are reported
    once each, but for 0. Without it whatever is above `threshold` is `label`, or with `instances` each value above it
    is one mark.

    Raises:
        UnreadableError: empty, truncated or no picture.
    """
    decoded = _decoded(path, report)
    height, width = decoded.pixels.shape[:2]
    if (height, width) != size_hw_px:
        found, expected = f"a mask of {width}×{height} px", f"the image's {size_hw_px[1]}×{size_hw_px[0]} px"
        report(Issue("mask-size", path.name, found, expected, "its labels were left out"))
        return []
    by_value = bool(target.values) or target.instances
    grey = _grey(decoded.bright if decoded.bright is not None and not by_value else decoded.pixels)
    if grey is None:
        expected = "a grey mask, or one whose channels are equal"
        report(Issue("unsupported", path.name, "a mask in colours", expected, "its labels were left out"))
        return []
    if decoded.one_bit and 255 in target.values and 1 not in target.values:
        grey = grey * np.uint8(255)
    found = list(_marks(grey, target, where=path.name, report=report))
    if not found:
        done = "its labels count as not found"
        report(Issue("mask-empty", path.name, "a mask without a labelled pixel", "some label", done, Severity.INFO))
    return found


def _marks(grey: np.ndarray, target: MaskImage, *, where: str, report: Report) -> Iterator[Mark]:
    if not target.values and not target.instances:
        inside = grey > target.threshold
        if inside.any():
            yield _mark(inside, target.label, target, where=where)
        return
    for value, count in value_counts(grey).items():
        if target.instances and not target.values:
            if value > target.threshold:
                yield _mark(grey == value, target.label, target, where=f"{where} value {value}")
        elif value in target.values:
            if target.values[value]:
                yield _mark(grey == value, target.values[value], target, where=f"{where} value {value}")
        elif value != 0:
            found, expected = f"value {value} in {count} pixels", f"one of {sorted(target.values)[:40]}"
            report(Issue("unknown-label-value", f"{where} value {value}", found, expected, "those pixels are background"))


def _mark(mask: np.ndarray, label: str, target: MaskImage, *, where: str) -> Mark:
    return Mark(label=label, where=where, mask=mask, observer=target.observer, origin=target.origin)


def _grey(pixels: np.ndarray) -> np.ndarray | None:
    """H×W integers: the largest of near-equal channels, alpha ignored; None for real colours."""
    if pixels.ndim == 2:
        return pixels
    colour = pixels[..., :-1] if pixels.shape[2] in (2, 4) else pixels
    most = colour.max(axis=2)
    return most if int((most - colour.min(axis=2)).max()) <= EQUAL_ENOUGH else None


def _decoded(path: Path, report: Report) -> _Decoded:
    not_empty(path)
    with path.open("rb") as stream:
        head = stream.read(16)
    if kind_of(head) == "tiff":
        return _tiff(path, report)
    stream, kind = load(path, report)
    with opened(stream, kind, path.name) as image:
        orientation = image.getexif().get(0x0112)
        if image.mode == "CMYK":
            image = image.convert("RGB")
        pixels = np.array(image)
        bright = np.array(image.convert("RGB")) if image.mode == "P" else None
    one_bit = pixels.dtype == bool
    pixels = pixels.astype(np.uint8) if one_bit else pixels  # Pillow's True is 255 in memory
    bright = None if bright is None else upright(bright, orientation)[0]
    return _Decoded(upright(pixels, orientation)[0], one_bit=one_bit, bright=bright)


def _tiff(path: Path, report: Report) -> _Decoded:
    from .tiff import stored_page

    pixels, one_bit = stored_page(path, report)
    if pixels.dtype.kind == "f":
        if not np.array_equal(pixels, np.rint(pixels)):
            raise UnreadableError("broken numbers", expected="whole label values", where=path.name, code="unsupported")
        pixels = pixels.astype(np.int32)
    return _Decoded(pixels, one_bit=one_bit)
