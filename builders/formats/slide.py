"""Whole slides in TIFF: how large a pixel is, and tiles read one by one without ever holding a level in memory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Picture, Report
from ..source import Reading
from .signature import MAX_EXPANSION, MAX_PIXELS
from .tiff_samples import natural, picture

CHROMA_FLOOR = 18
"""A pixel is tissue when its largest and smallest channel differ by more than this of 255.

Saturation as a difference, not a quotient: JPEG noise makes nearly black borders look saturated.
"""
GREY_FLOOR = 18
"""In a grey (fluorescence) slide a pixel is tissue when it is brighter than this of 255."""
COARSEST_SCAN_UM = 25.0
"""Resolution tags that say more µm per px than this are print resolutions (72 or 300 dpi), not a microscope's."""
_CACHE_BYTES = 64 << 20
_UM = {"µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "\\u00b5m": 1.0}
_MPP = re.compile(r"\bMPP\s*=\s*([0-9.]+)")


def micrometres_per_pixel(tif: Any) -> float | None:
    """µm per px of the first series' full resolution: OME, Aperio, ImageJ, then resolution tags; None where unstated."""
    page = tif.pages[0]
    for stated in (_from_ome, _from_aperio, _from_imagej):
        um = stated(tif, page)
        if um is not None and math.isfinite(um) and um > 0:
            return um
    return _from_tags(page)


def _from_ome(tif: Any, _page: Any) -> float | None:
    if not tif.is_ome:
        return None
    try:
        root = ElementTree.fromstring(tif.ome_metadata)
        pixels = next(element for element in root.iter() if element.tag.endswith("}Pixels"))
        size = float(pixels.attrib["PhysicalSizeX"])
    except (ElementTree.ParseError, StopIteration, KeyError, ValueError, TypeError):
        return None
    unit = _UM.get(pixels.attrib.get("PhysicalSizeXUnit", "µm"))
    return None if unit is None else size * unit


def _from_aperio(tif: Any, page: Any) -> float | None:
    found = _MPP.search(page.description) if tif.is_svs else None
    return float(found[1]) if found else None


def _from_imagej(tif: Any, page: Any) -> float | None:
    metadata = tif.imagej_metadata if tif.is_imagej else None
    unit = _UM.get(str((metadata or {}).get("unit", "")).lower())
    per_unit = _ratio(page, 282)
    return unit / per_unit if unit and per_unit else None


def _from_tags(page: Any) -> float | None:
    tag = page.tags.get(296)
    unit_um = {2: 25400.0, 3: 10000.0}.get(int(tag.value) if tag is not None else 0)
    per_unit = _ratio(page, 282)
    um = unit_um / per_unit if unit_um and per_unit else None
    return um if um is not None and um <= COARSEST_SCAN_UM else None


def _ratio(page: Any, code: int) -> float | None:
    tag = page.tags.get(code)
    if tag is None or not isinstance(tag.value, tuple) or len(tag.value) != 2 or not tag.value[1]:
        return None
    return tag.value[0] / tag.value[1]


def slide_tiles(series: Any, *, um: float | None, reading: Reading, path: Path, report: Report) -> Iterator[Picture]:
    """Tiles with tissue, `index` counting the whole grid row by row, `offset_xy_px` in the level that is read.

    The grid starts at (0, 0) in steps of `reading.tile_px`, without overlap; at the right and lower edge what remains is
    kept where it is at least half a tile. A tile stays when at least `reading.min_tissue_share` of its pixels are tissue
    (see `CHROMA_FLOOR`, `GREY_FLOOR`).

    Raises:
        UnreadableError: truncated, absurd, or stored in separate colour planes.
    """
    level, level_um, notes = _level(series, um, reading=reading, path=path, report=report)
    key = level.keyframe
    cut = _cutter(level.pages[0], path)
    height, width = key.imagelength, key.imagewidth
    kept = bare = narrow = 0
    for index, (y, x) in enumerate(_grid(height, width, reading.tile_px)):
        size = (min(reading.tile_px, height - y), min(reading.tile_px, width - x))
        if min(size) * 2 < reading.tile_px:
            narrow += 1
            continue
        pixels, more = natural(cut(y, x, size), key, where=f"{path.name} tile {index}", report=report)
        if tissue_share(pixels) < reading.min_tissue_share:
            bare += 1
            continue
        kept += 1
        found = picture(pixels, um=level_um, notes=(*notes, *more), raw_format="tiff", axis="tile", index=index)
        found.offset_xy_px = (x, y)
        yield found
    if bare or narrow:
        found = f"{bare} tiles of background and {narrow} narrow ones at the edge"
        expected = f"half a tile, with tissue on {reading.min_tissue_share:.0%} of it"
        report(Issue("tiles-left-out", path.name, found, expected, f"{kept} tiles were kept", Severity.INFO))


def tissue_share(pixels: np.ndarray) -> float:
    """Share of pixels that are tissue: coloured in RGB, bright in grey; of deeper grey, above 7 % of the range."""
    if pixels.ndim == 3:
        return float(np.mean(pixels.max(axis=2) - pixels.min(axis=2) > _scaled(CHROMA_FLOOR, pixels.dtype)))
    return float(np.mean(pixels > _scaled(GREY_FLOOR, pixels.dtype)))


def _scaled(floor: int, dtype: np.dtype) -> float:
    return floor * np.iinfo(dtype).max / 255 if dtype.kind in "iu" else floor / 255


def _grid(height: int, width: int, step: int) -> Iterator[tuple[int, int]]:
    return ((y, x) for y in range(0, height, step) for x in range(0, width, step))


def _level(
    series: Any, um: float | None, *, reading: Reading, path: Path, report: Report
) -> tuple[Any, float | None, tuple[str, ...]]:
    """The level nearest to the wanted resolution (as a ratio), its µm per px, and a note where it isn't the finest."""
    levels, wanted = list(series.levels), reading.um_per_px
    if wanted is None or um is None:
        if wanted is not None:
            expected, done = f"µm per px, to find {wanted}", "tiles come from the finest level"
            report(Issue("no-resolution", path.name, "a slide that states no resolution", expected, done))
        return levels[0], um, ()
    finest = levels[0].keyframe.imagewidth
    sizes = [um * finest / level.keyframe.imagewidth for level in levels]
    number = min(range(len(levels)), key=lambda i: abs(math.log(sizes[i] / wanted)))
    return levels[number], sizes[number], (f"pyramid-level-{number}",) if number else ()


def _cutter(page: Any, path: Path) -> Callable[[int, int, tuple[int, int]], np.ndarray]:
    """A function that cuts (y, x, size) out of a page, decoding only the segments it touches; the last ones are cached."""
    key = page.keyframe
    offsets, counts = page.dataoffsets, page.databytecounts
    rows, columns = key.chunks[:2]
    samples = key.samplesperpixel
    across = -(-key.imagewidth // columns)
    _check(key, offsets, counts, path)
    stream = page.parent.filehandle
    segment_bytes = rows * columns * samples * key.dtype.itemsize

    @lru_cache(maxsize=max(4, _CACHE_BYTES // segment_bytes))
    def segment(number: int) -> np.ndarray | None:
        if not counts[number]:
            return None
        stream.seek(offsets[number])
        data = stream.read(counts[number])
        decoded = key.decode(data, number, jpegtables=page.jpegtables, jpegheader=key.jpegheader)[0]
        return None if decoded is None else decoded.reshape(decoded.shape[-3:])

    def cut(y: int, x: int, size: tuple[int, int]) -> np.ndarray:
        out = np.zeros((*size, samples), key.dtype)
        for row in range(y // rows, -(-(y + size[0]) // rows)):
            for column in range(x // columns, -(-(x + size[1]) // columns)):
                part = segment(row * across + column)
                if part is not None:
                    _paste(out, part, top=row * rows - y, left=column * columns - x)
        return out[..., 0] if samples == 1 else out

    return cut


def _paste(out: np.ndarray, part: np.ndarray, *, top: int, left: int) -> None:
    """Lay a segment on the cut-out; `top` and `left` say where it begins there, and may be negative."""
    y0, x0 = max(0, top), max(0, left)
    piece = part[y0 - top : out.shape[0] - top, x0 - left : out.shape[1] - left]
    out[y0 : y0 + piece.shape[0], x0 : x0 + piece.shape[1]] = piece


def _check(key: Any, offsets: Any, counts: Any, path: Path) -> None:
    size = path.stat().st_size
    if key.axes not in ("YX", "YXS"):
        raise UnreadableError(f"axes {key.axes}", expected="interleaved colours", where=path.name, code="unsupported")
    rows, columns = key.chunks[:2]
    segment = rows * columns * key.samplesperpixel * key.dtype.itemsize
    wanted = -(-key.imagelength // rows) * -(-key.imagewidth // columns)
    if not wanted or wanted != len(offsets) or len(offsets) != len(counts):
        found = f"{len(offsets)} segments for {key.imagewidth}×{key.imagelength} px"
        raise UnreadableError(found, expected=f"{wanted}", where=path.name, code="absurd-size")
    most = max((offset + count for offset, count in zip(offsets, counts, strict=True)), default=0)
    if most > size:
        raise UnreadableError(f"{size} bytes with pixels up to byte {most}", expected="a whole file", where=path.name)
    if rows * columns > MAX_PIXELS or segment > 64 * MAX_EXPANSION * size:
        found = f"segments of {columns}×{rows} px"
        raise UnreadableError(found, expected="tiles or strips that fit memory", where=path.name, code="absurd-size")
