"""The ways in which frames of a SEG reach an image's grid: as they are, from the nearest voxel, or cut from tiles.

A placement puts some frames onto the grid at a time, so that never more than one segment is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .planes import Planes
from .seg_object import SegFile

Masks = dict[int, np.ndarray]


class Placement(Protocol):
    """Knows the image's grid, and which of its slices the SEG speaks of."""

    @property
    def covered(self) -> frozenset[int]:
        """Slices that a frame lies on; 0 in a picture."""
        ...

    def masks(self, seg: SegFile, frames: Iterable[int]) -> Masks:
        """Slice → rows×columns, the highest value where several of these frames meet."""
        ...


@dataclass(frozen=True)
class OnSlices:
    """Frames that lie on the image's own pixels."""

    slices: dict[int, int]
    """Frame → slice."""

    @property
    def covered(self) -> frozenset[int]:
        """Slices that a frame lies on."""
        return frozenset(self.slices.values())

    def masks(self, seg: SegFile, frames: Iterable[int]) -> Masks:
        """Slice → rows×columns, the highest value where several of these frames meet."""
        found: Masks = {}
        for index in frames:
            if index in self.slices:
                values, at = seg.values(index), self.slices[index]
                found[at] = np.maximum(found[at], values) if at in found else values
        return found


@dataclass(frozen=True, eq=False)
class Between:
    """Frames on another grid: each image voxel takes the nearest SEG voxel, and none where that is further than half."""

    image: Planes
    grid: tuple[int, int, int]
    frames: Planes
    """One plane per height at which frames lie, from the lowest."""
    plane_of: dict[int, int]
    covered: frozenset[int]

    def masks(self, seg: SegFile, frames: Iterable[int]) -> Masks:
        """Slice → rows×columns, the highest value where several of these frames meet."""
        stack: Masks = {}
        for index in frames:
            values, at = seg.values(index), self.plane_of[index]
            stack[at] = np.maximum(stack[at], values) if at in stack else values
        if not stack:
            return {}
        # The last layer is empty: planes on which this segment has no frame.
        voxels = np.stack([*stack.values(), np.zeros_like(next(iter(stack.values())))])
        rank = np.full(len(self.frames.origins_mm) + 1, len(stack))
        rank[list(stack)] = np.arange(len(stack))
        found = {}
        for at in sorted(self.covered):
            plane, row, column = nearest_voxels(self, seg.size_hw_px, at)
            found[at] = np.where(plane >= 0, voxels[rank[plane], row, column], 0)
        return found


@dataclass(frozen=True, eq=False)
class Tiles:
    """Frames that are tiles of a total pixel matrix, seen through a picture of it or of a part of it."""

    rows: np.ndarray
    """Row of the matrix under each row of the picture; ascending."""
    columns: np.ndarray
    covered: frozenset[int] = frozenset({0})

    def masks(self, seg: SegFile, frames: Iterable[int]) -> Masks:
        """Slice → rows×columns, the highest value where several of these frames meet."""
        found = None
        for index in frames:
            corner = seg.frames[index].corner_xy_px
            assert corner is not None
            across, down = _span(self.columns, corner[0], seg.size_hw_px[1]), _span(self.rows, corner[1], seg.size_hw_px[0])
            if across.start < across.stop and down.start < down.stop:
                values = seg.values(index)
                seen = values[np.ix_(self.rows[down] - corner[1], self.columns[across] - corner[0])]
                if found is None:
                    found = np.zeros((len(self.rows), len(self.columns)), values.dtype)
                np.maximum(found[down, across], seen, out=found[down, across])
        return {} if found is None else {0: found}


def nearest_voxels(placement: Between, size_hw_px: tuple[int, int], at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plane (-1 for none), row and column of the SEG under each pixel of one image slice."""
    image, seg = placement.image, placement.frames
    into = np.linalg.inv(np.column_stack([seg.column_mm, seg.row_mm, seg.normal]))
    start, across, down = (into @ v for v in (image.origins_mm[at] - seg.origins_mm[0], image.column_mm, image.row_mm))
    # Sums of a row and a column: rounding to 1e-6 keeps ties from falling either way by the noise of floats.
    column, row, height = (
        np.round(start[i] + down[i] * np.arange(placement.grid[1])[:, None] + across[i] * np.arange(placement.grid[2]), 6)
        for i in range(3)
    )
    heights = seg.heights_mm - seg.heights_mm[0]
    plane = np.searchsorted((heights[1:] + heights[:-1]) / 2, height, side="right")
    column, row = np.floor(column + 0.5).astype(np.int64), np.floor(row + 0.5).astype(np.int64)
    inside = (column >= 0) & (column < size_hw_px[1]) & (row >= 0) & (row < size_hw_px[0])
    inside &= np.abs(heights[plane] - height) <= seg.slice_mm / 2 + 1e-6
    return np.where(inside, plane, -1), np.where(inside, row, 0), np.where(inside, column, 0)


def _span(ascending: np.ndarray, start: int, length: int) -> slice:
    return slice(*np.searchsorted(ascending, (start, start + length)).tolist())
