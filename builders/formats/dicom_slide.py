"""DICOM slide microscopy (VL Whole Slide Microscopy) to pictures: the whole matrix where it is small, else tiles.

Tiles lie on a grid from the matrix's first pixel; at the right and lower edge what remains is kept where it is at least
half a tile. Of several levels the coarsest that is at least as fine as the wanted resolution is cut. Where that is more
than 5 % finer, tiles are cut larger and brought down by Pillow's box filter, and offsets count pixels of that
resolution. Nothing is enlarged, and colour profiles aren't applied. What tissue is, `slide.py` says, as for TIFF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...schema.errors import Issue, Severity
from ..picture import HeaderFacts, Picture
from ..source import Reading
from .dicom_slide_matrix import Matrix, open_matrix, size_of, um_per_px
from .dicom_unit import File, Opened
from .slide import tissue_share

CLOSE_ENOUGH = 0.05


@dataclass(frozen=True, slots=True)
class Cut:
    """How tiles are cut: `scale` pixels of the level per pixel of the tile, down and across."""

    tile_px: int
    scale: tuple[float, float] = (1.0, 1.0)

    @property
    def resampled(self) -> bool:
        """Whether tiles are brought down."""
        return self.scale != (1.0, 1.0)


def tiles(unit: Opened, *, reading: Reading) -> Iterator[Picture]:
    """The slide as one picture, or its tiles with tissue, row by row; `index` counts all places of the grid.

    Raises:
        UnreadableError: frames that can't be decoded, or don't fill the matrix that the header claims.
    """
    with unit.quiet(unit.files[0]):
        finest = max(unit.files, key=lambda file: size_of(file)[0] * size_of(file)[1])
        whole = max(size_of(finest)) <= reading.whole_slide_px
        matrix = open_matrix(unit, finest if whole else _level(unit, finest, reading.um_per_px))
    if not whole:
        yield from _cut(matrix, _cut_of(matrix, reading, unit), reading.min_tissue_share, unit)
        return
    height, width = matrix.size_hw_px
    pixels = matrix.region(0, 0, height=height, width=width)
    yield _picture(matrix, pixels, Cut(max(matrix.size_hw_px)), index=0, offset=(0, 0))


def _level(unit: Opened, finest: File, wanted: float | None) -> File:
    if wanted is None:
        return finest
    known = [(spacing[0], file) for file in unit.files if (spacing := um_per_px(file)) is not None]
    fine = [pair for pair in known if pair[0] <= wanted * (1 + CLOSE_ENOUGH)]
    return max(fine, key=lambda pair: pair[0])[1] if fine else finest


def _cut_of(matrix: Matrix, reading: Reading, unit: Opened) -> Cut:
    if reading.um_per_px is None:
        return Cut(reading.tile_px)
    if matrix.um_per_px is None or max(matrix.um_per_px) > reading.um_per_px * (1 + CLOSE_ENOUGH):
        stated = "no resolution" if matrix.um_per_px is None else f"{max(matrix.um_per_px):g} µm per px"
        where, wanted = matrix.file.path.name, f"{reading.um_per_px:g} µm per px"
        unit.report(Issue("resolution", where, stated, wanted, "tiles were cut as they are", Severity.INFO))
        return Cut(reading.tile_px)
    down, across = (reading.um_per_px / one for one in matrix.um_per_px)
    close = max(down, across) <= 1 + CLOSE_ENOUGH
    return Cut(reading.tile_px) if close else Cut(reading.tile_px, (down, across))


def _cut(matrix: Matrix, cut: Cut, min_tissue_share: float, unit: Opened) -> Iterator[Picture]:
    height, width = (max(1, int(size / scale)) for size, scale in zip(matrix.size_hw_px, cut.scale, strict=True))
    corners = [(top, left) for top in range(0, height, cut.tile_px) for left in range(0, width, cut.tile_px)]
    bare = narrow = 0
    for index, (top, left) in enumerate(corners):
        size = min(cut.tile_px, height - top), min(cut.tile_px, width - left)
        if min(size) * 2 < cut.tile_px:
            narrow += 1
            continue
        pixels = _tile(matrix, cut, (top, left), size_hw_px=size)
        if tissue_share(pixels) < min_tissue_share:
            bare += 1
            continue
        yield _picture(matrix, pixels, cut, index=index, offset=(left, top))
    if bare or narrow:
        found = f"{bare} tiles of background and {narrow} narrow ones at the edge"
        expected = f"half a tile, with tissue on {min_tissue_share:.0%} of it"
        kept = f"{len(corners) - bare - narrow} tiles were kept"
        unit.report(Issue("tiles-left-out", matrix.file.path.name, found, expected, kept, Severity.INFO))


def _tile(matrix: Matrix, cut: Cut, corner: tuple[int, int], *, size_hw_px: tuple[int, int]) -> np.ndarray:
    """The tile whose first row and column is `corner`, in pixels of the cut."""
    if not cut.resampled:
        return matrix.region(*corner, height=size_hw_px[0], width=size_hw_px[1])
    start = [int(at * scale) for at, scale in zip(corner, cut.scale, strict=True)]
    stop = [
        min(int(np.ceil((at + size) * scale)), limit)
        for at, size, scale, limit in zip(corner, size_hw_px, cut.scale, matrix.size_hw_px, strict=True)
    ]
    region = matrix.region(start[0], start[1], height=stop[0] - start[0], width=stop[1] - start[1])
    return _brought_down(region, size_hw_px)


def _brought_down(region: np.ndarray, size_hw_px: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    source = region if region.dtype == np.uint8 else region.astype(np.float32)
    small = Image.fromarray(source).resize((size_hw_px[1], size_hw_px[0]), Image.Resampling.BOX)
    pixels = np.asarray(small)
    return np.ascontiguousarray(pixels if region.dtype == np.uint8 else np.rint(pixels).astype(region.dtype))


def _picture(matrix: Matrix, pixels: np.ndarray, cut: Cut, *, index: int, offset: tuple[int, int]) -> Picture:
    values = matrix.values
    um = None
    if matrix.um_per_px is not None:
        um = matrix.um_per_px[0] * cut.scale[0], matrix.um_per_px[1] * cut.scale[1]
    done = values.transformations if values is not None else ()
    return Picture(
        pixels=pixels,
        facts=_facts(matrix.file.facts, um),
        axis="tile",
        index=index,
        spacing_mm=None if um is None else (um[0] / 1000, um[1] / 1000),
        values=values.meaning if values is not None else ("rgb" if pixels.ndim == 3 else "grey"),
        window=values.window if values is not None else None,
        raw_format="dicom",
        decoder=matrix.decoder,
        transformations=(*done, "box-filtered") if cut.resampled else done,
        offset_xy_px=offset,
        sop_instance=matrix.file.sop_instance,
    )


def _facts(facts: HeaderFacts, um: tuple[float, float] | None) -> HeaderFacts:
    acquisition = replace(facts.acquisition, um_per_px=None if um is None else round(um[0], 6))
    return replace(facts, acquisition=acquisition)
