"""The total pixel matrix of a DICOM slide, seen region by region: its frames, where they lie, those that are decoded."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from .dicom_frames import Groups, Plane, planes_of
from .dicom_header import number, opened, text
from .dicom_unit import File, Opened, decoded
from .dicom_values import Values

MAX_EMPTINESS = 1000
"""Pixels of the matrix per pixel of all frames: sparse slides are empty in large parts, but not beyond all measure."""
Corner = tuple[int, int]
"""First row and column of a frame in the matrix, counted from 0."""


@dataclass(slots=True)
class Matrix:
    """One level of a slide, and the frames of it that are decoded right now."""

    unit: Opened
    file: File
    size_hw_px: tuple[int, int]
    um_per_px: tuple[float, float] | None
    """Down and across."""
    planes: dict[Corner, Plane]
    corners: list[Corner]
    """Keys of `planes`, sorted."""
    values: Values | None = None
    """Meaning of the frames decoded last, without their pixels."""
    decoder: str = ""
    cache: dict[Corner, np.ndarray] = field(default_factory=dict)

    def region(self, top: int, left: int, *, height: int, width: int) -> np.ndarray:
        """Pixels of a part of the matrix, rows×columns[×3]; what no frame covers is white in colour, black in grey.

        Ask row by row: frames that end above the region are forgotten.
        """
        rows, columns = self.file.layout.rows, self.file.layout.columns
        self.cache = {corner: tile for corner, tile in self.cache.items() if corner[0] + rows > top}
        band = slice(*(bisect_left(self.corners, (y,)) for y in (top - rows + 1, top + height)))
        met = [corner for corner in self.corners[band] if left - columns < corner[1] < left + width]
        self._decode([corner for corner in met if corner not in self.cache])
        found = {corner: self.cache[corner] for corner in met if corner in self.cache}
        canvas = self._canvas((height, width), found)
        for (y, x), tile in found.items():
            _paste(canvas, tile, y - top, x - left)
        return canvas

    def _canvas(self, size_hw_px: tuple[int, int], tiles: dict[Corner, np.ndarray]) -> np.ndarray:
        colour = self.file.layout.samples == 3 or self.file.layout.photometric == "PALETTE COLOR"
        dtype = np.result_type(*(tile.dtype for tile in tiles.values())) if tiles else np.dtype(np.uint8)
        return np.full((*size_hw_px, 3) if colour else size_hw_px, 255 if colour else 0, dtype)

    def _decode(self, corners: list[Corner]) -> None:
        by_frame = {self.planes[corner].frame: corner for corner in corners}
        if not corners:
            return
        for plane, values, decoder in decoded(self.unit, self.file, [self.planes[c] for c in corners], voi_lut=True):
            self.cache[by_frame[plane.frame]] = values.pixels
            self.values, self.decoder = replace(values, pixels=values.pixels[:0]), decoder


def open_matrix(unit: Opened, file: File) -> Matrix:
    """The level that a file holds, with its pixels in memory as they are encoded.

    Of several optical paths and focal planes the first is taken, and the others are reported.
    """
    whole = opened(file.path)
    size = size_of(file)
    loaded = File(path=file.path, header=whole, layout=file.layout, sop_instance=file.sop_instance, known=file.facts)
    alone = Opened([loaded], unit.report, alone=True, said=unit.said)
    planes = _placed(loaded, size, unit)
    return Matrix(alone, loaded, size, um_per_px(file), planes, sorted(planes))


def size_of(file: File) -> tuple[int, int]:
    """Rows and columns of the total pixel matrix; a slide that states none is its one frame.

    Raises:
        UnreadableError: several frames without a total size, or a size that they could never fill.
    """
    rows, columns = number(file.header, "TotalPixelMatrixRows"), number(file.header, "TotalPixelMatrixColumns")
    if rows and columns and min(rows, columns) >= 1:
        if rows * columns > MAX_EMPTINESS * file.layout.pixels:
            found = f"a matrix of {columns:g}×{rows:g} px for {file.layout.pixels} px of frames"
            raise UnreadableError(found, expected="a real size", where=file.path.name, code="absurd-size")
        return int(rows), int(columns)
    if file.layout.frames > 1:
        raise UnreadableError("frames without a total size", expected="Total Pixel Matrix Rows and Columns")
    return file.layout.rows, file.layout.columns


def um_per_px(file: File) -> tuple[float, float] | None:
    """Micrometres per pixel down and across, where the header states them."""
    spacing = Groups.of(file.header).numbers(0, "PixelMeasuresSequence", "PixelSpacing", count=2)
    if spacing is None or min(spacing) <= 0:
        return None
    return round(spacing[0] * 1000, 6), round(spacing[1] * 1000, 6)


def _placed(file: File, size_hw_px: tuple[int, int], unit: Opened) -> dict[Corner, Plane]:
    planes = planes_of(file.header, source=0, name=file.path.name, count=file.layout.frames)
    groups = Groups.of(file.header)
    if any(groups.macro(plane.frame, "PlanePositionSlideSequence") is not None for plane in planes[:1]):
        return _sparse(planes, groups, file.path, unit)
    return _full(planes, file, size_hw_px, unit)


def _full(planes: list[Plane], file: File, size_hw_px: tuple[int, int], unit: Opened) -> dict[Corner, Plane]:
    """Frames row by row over the matrix, then over focal planes, then optical paths (PS3.3 C.7.6.17.3)."""
    rows, columns = file.layout.rows, file.layout.columns
    across, down = math.ceil(size_hw_px[1] / columns), math.ceil(size_hw_px[0] / rows)
    if len(planes) < across * down:
        found = f"{len(planes)} frames for a matrix of {across}×{down}"
        raise UnreadableError(found, expected="a frame for every place", where=file.path.name)
    _say_left_out(len(planes) - across * down, file.path, unit)
    return {(i // across * rows, i % across * columns): plane for i, plane in enumerate(planes[: across * down])}


def _sparse(planes: list[Plane], groups: Groups, path: Path, unit: Opened) -> dict[Corner, Plane]:
    """Frames at the places that they state, of the first frame's optical path and focal plane."""
    found: dict[Corner, Plane] = {}
    layer = _layer(groups, planes[0].frame)
    others = 0
    for plane in planes:
        place = groups.macro(plane.frame, "PlanePositionSlideSequence")
        row = number(place, "RowPositionInTotalImagePixelMatrix") if place is not None else None
        column = number(place, "ColumnPositionInTotalImagePixelMatrix") if place is not None else None
        if row is None or column is None or _layer(groups, plane.frame) != layer:
            others += 1
        else:
            found[int(row) - 1, int(column) - 1] = plane
    _say_left_out(others, path, unit)
    return found


def _layer(groups: Groups, frame: int) -> tuple[str, float | None]:
    """Optical path and focal height of a frame."""
    path, place = groups.macro(frame, "OpticalPathIdentificationSequence"), groups.macro(frame, "PlanePositionSlideSequence")
    height = number(place, "ZOffsetInSlideCoordinateSystem") if place is not None else None
    return text(path, "OpticalPathIdentifier") if path is not None else "", height


def _say_left_out(count: int, path: Path, unit: Opened) -> None:
    if count:
        found, expected = f"{count} frames of other focal planes or optical paths", "one of each"
        issue = Issue("frames-left-out", path.name, found, expected, "the first were taken", Severity.INFO)
        unit.report(issue)


def _paste(canvas: np.ndarray, tile: np.ndarray, top: int, left: int) -> None:
    """Lay the part of a tile that meets the canvas at that place."""
    rows = slice(max(top, 0), min(top + tile.shape[0], canvas.shape[0]))
    columns = slice(max(left, 0), min(left + tile.shape[1], canvas.shape[1]))
    canvas[rows, columns] = tile[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
