"""TIFF, OME-TIFF and slide formats built on TIFF to pictures: pages and planes as frames, slides whole or in tiles.

Decoded by tifffile with imagecodecs, which read JPEG-in-TIFF with chroma subsampling where Pillow doesn't. Of a slide only
the largest image is read: the label, macro and thumbnail beside it may show a name, and are dropped.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Picture, Report
from ..source import Reading
from .channels import one_channel_if_grey, upright
from .signature import MAX_EXPANSION, MAX_PIXELS, check_suffix, kind_of, not_empty
from .slide import micrometres_per_pixel, slide_tiles
from .tiff_samples import natural, picture

FAULTS = (
    OSError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What tifffile and imagecodecs raise over broken files."""
ONE_IMAGE_KINDS = frozenset({"ome", "svs", "ndpi", "scn", "bif", "philips", "qpi", "avs", "indica"})
"""Kinds whose further series are other images of the same slide."""
_EXTRA = re.compile(r"label|macro|thumb|overview", re.IGNORECASE)
_BOUNDED = frozenset({1, 5, 6, 7, 8, 32773, 32946})
"""Compressions that expand at most `MAX_EXPANSION` times: none, LZW, JPEG, deflate, PackBits."""


@dataclass(frozen=True, slots=True)
class _Stack:
    """Planes of one series: which pages make which frame."""

    series: Any
    frames: tuple[tuple[int, ...], ...]
    """Per frame the numbers of its pages: one, or three that are red, green, blue."""


def read(paths: Sequence[Path], *, reading: Reading, report: Report) -> Iterator[Picture]:
    """Pictures in native dtype: one per page or plane (`axis` frame), or the tiles of a slide (`axis` tile).

    A slide is one plane with a stated µm per px, a pyramid, or a slide format. Up to `reading.whole_slide_px` it stays
    whole; above, see `slide.slide_tiles`.

    Raises:
        UnreadableError: empty, truncated, absurd, or of samples that aren't grey, RGB or a palette.
    """
    for path in paths:
        with opened(path, report) as tif:
            stacks = [_stack(series, path, report) for series in _kept_series(tif, path, report)]
            um = micrometres_per_pixel(tif)
            if _is_slide(stacks, um) and max(_size(stacks[0].series)) > reading.whole_slide_px:
                yield from slide_tiles(stacks[0].series, um=um, reading=reading, path=path, report=report)
            else:
                yield from _frames(stacks, um=um, every_nth=reading.every_nth, path=path, report=report)


def stored_page(path: Path, report: Report) -> tuple[np.ndarray, bool]:
    """The one page's stored numbers, H×W or H×W×C, upright, and whether it is one bit deep: for masks.

    Raises:
        UnreadableError: as `read`, or more than one page.
    """
    with opened(path, report) as tif:
        stacks = [_stack(series, path, report) for series in _kept_series(tif, path, report)]
        count = sum(len(stack.frames) for stack in stacks)
        if count != 1 or len(stacks[0].frames[0]) != 1:
            raise UnreadableError(f"{count} pages", expected="one mask per file", where=path.name, code="unsupported")
        page = stacks[0].series.pages[0]
        pixels = _upright(_page_array(page, path), page)[0]
        return (pixels.astype(np.uint8), True) if pixels.dtype == bool else (pixels, False)


@contextmanager
def opened(path: Path, report: Report) -> Iterator[Any]:
    """A `tifffile.TiffFile`; what tifffile raises inside the block becomes UnreadableError."""
    import tifffile

    not_empty(path)
    with path.open("rb") as stream:
        head = stream.read(16)
    if kind_of(head) != "tiff":
        raise UnreadableError(f"content {head[:8].hex()}…", expected="a TIFF file", where=path.name)
    check_suffix(path, "tiff", report)
    try:
        with tifffile.TiffFile(path) as tif:
            yield tif
    except FAULTS as error:
        raise UnreadableError(f"TIFF that doesn't decode: {error}", expected="a whole TIFF", where=path.name) from error


def _kept_series(tif: Any, path: Path, report: Report) -> list[Any]:
    """Series that are images of the subject, the others reported."""
    series = [one for one in tif.series if len(one.pages) and "Y" in one.axes and "X" in one.axes]
    if not series:
        raise UnreadableError("no image inside", expected="at least one page with pixels", where=path.name)
    if tif.series[0].kind in ONE_IMAGE_KINDS or len(series[0].levels) > 1:
        kept = [max(series, key=lambda one: int(np.prod(_size(one), dtype=object)))]
    else:
        kept = [one for one in series if not one.keyframe.is_reduced and not _EXTRA.search(one.name)] or series[:1]
    if len(kept) < len(series):
        found = f"{len(series) - len(kept)} further images (label, macro, thumbnail or another series)"
        done = "they were left out: such images can show names"
        report(Issue("extra-images", path.name, found, "one image", done, Severity.INFO))
    return kept


def _is_slide(stacks: list[_Stack], um: float | None) -> bool:
    series = stacks[0].series
    single = len(stacks) == 1 and len(stacks[0].frames) == 1 and len(stacks[0].frames[0]) == 1
    return single and (um is not None or len(series.levels) > 1 or series.kind in ONE_IMAGE_KINDS)


def _size(series: Any) -> tuple[int, int]:
    return series.shape[series.axes.index("Y")], series.shape[series.axes.index("X")]


def _stack(series: Any, path: Path, report: Report) -> _Stack:
    """Which pages make which frame: three channels are RGB, other numbers of channels stand alone."""
    axes = [(axis, extent) for axis, extent in zip(series.axes, series.shape, strict=True) if axis not in "YXS"]
    extents = [extent for _, extent in axes]
    numbers = np.arange(int(np.prod(extents, dtype=object)) if extents else 1).reshape(extents or [1])
    if numbers.size != len(series.pages):
        numbers = np.arange(len(series.pages))
    names = [axis for axis, _ in axes]
    channels = extents[names.index("C")] if "C" in names and numbers.ndim == len(names) else 1
    if channels == 3 and series.keyframe.samplesperpixel == 1 and np.dtype(series.dtype) in (np.uint8, np.uint16):
        return _Stack(series, tuple(map(tuple, np.moveaxis(numbers, names.index("C"), -1).reshape(-1, 3).tolist())))
    if channels > 1:
        found = f"{channels} channels"
        done = "each became a grey picture"
        report(Issue("many-channels", path.name, found, "grey or three channels", done, Severity.INFO))
    return _Stack(series, tuple((number,) for number in numbers.ravel().tolist()))


def _frames(stacks: list[_Stack], *, um: float | None, every_nth: int, path: Path, report: Report) -> Iterator[Picture]:
    every = [(stack, frame) for stack in stacks for frame in stack.frames]
    for index in range(0, len(every), every_nth):
        stack, numbers = every[index]
        parts = [_page_pixels(stack.series.pages[number], path, report) for number in numbers]
        if len(parts) == 1:
            pixels, notes = parts[0]
        else:
            pixels, notes = np.stack([part for part, _ in parts], axis=-1), (*parts[0][1], "channels-as-rgb")
        yield picture(pixels, um=um, notes=notes, raw_format="tiff", axis="frame" if len(every) > 1 else None, index=index)


def _page_array(page: Any, path: Path) -> np.ndarray:
    """The page's stored numbers, H×W or H×W×C, after its claims were checked.

    Raises:
        UnreadableError: absurd, truncated, or more than two dimensions in one page.
    """
    key, size = page.keyframe, path.stat().st_size
    claimed = int(np.prod(key.shape, dtype=object)) * (key.bitspersample / 8)
    counted = sum(page.databytecounts)
    factor = 1 if key.compression == 1 else MAX_EXPANSION if key.compression in _BOUNDED else 65536
    if not 0 < key.imagewidth * key.imagelength <= MAX_PIXELS or claimed > factor * max(counted, 1) or claimed > factor * size:
        found = f"a page that claims {key.imagewidth}×{key.imagelength} px in {min(counted, size)} bytes"
        raise UnreadableError(found, expected="a size that the file can hold", where=path.name, code="absurd-size")
    ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if max(ends, default=0) > size:
        found = f"{size} bytes with pixels up to byte {max(ends)}"
        raise UnreadableError(found, expected="a whole file (truncated)", where=path.name)
    if key.axes not in ("YX", "YXS", "SYX"):
        raise UnreadableError(f"a page of axes {key.axes}", expected="a plane", where=path.name, code="unsupported")
    pixels = page.asarray()
    if pixels.shape != key.shape:
        raise UnreadableError(f"pixels of shape {pixels.shape}", expected=f"{key.shape}", where=path.name)
    return np.moveaxis(pixels, 0, -1) if key.axes == "SYX" else pixels


def _page_pixels(page: Any, path: Path, report: Report) -> tuple[np.ndarray, tuple[str, ...]]:
    """H×W or H×W×3 as a picture holds them, and what was done to the stored numbers."""
    array = _page_array(page, path)
    pixels, notes = natural(array, page.keyframe, where=path.name, report=report)
    for step in (lambda stored: _upright(stored, page), one_channel_if_grey):
        pixels, note = step(pixels)
        notes = (*notes, note) if note else notes
    return pixels, notes


def _upright(pixels: np.ndarray, page: Any) -> tuple[np.ndarray, str | None]:
    tag = page.keyframe.tags.get(274)
    return upright(pixels, tag.value if tag is not None else None)
