"""Where the slices of a volume lie in the patient, for label objects that speak in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..picture import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Parallel slice planes in LPS millimetres; uneven and sheared (tilted) stacks are as good as even ones."""

    origins_mm: np.ndarray
    """N×3: the centre of pixel (0, 0) of each slice."""
    column_mm: np.ndarray
    """The step from a column to the next one."""
    row_mm: np.ndarray
    """The step from a row to the next one."""
    slice_mm: float
    """The usual distance between slices along the normal; positive."""

    @property
    def normal(self) -> np.ndarray:
        """The unit vector across the planes, right-handed with columns and rows."""
        across = np.cross(self.column_mm, self.row_mm)
        return across / np.linalg.norm(across)

    @property
    def heights_mm(self) -> np.ndarray:
        """Each slice's place along the normal."""
        return self.origins_mm @ self.normal

    @property
    def reach_mm(self) -> np.ndarray:
        """How far from each slice something still belongs to it: half the distance to its nearer neighbour."""
        heights = self.heights_mm
        if len(heights) == 1:
            return np.array([self.slice_mm / 2])
        order = np.argsort(heights)
        gaps = np.diff(heights[order])
        gaps[gaps < 1e-6] = np.inf
        nearer = np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf))
        reach = np.empty_like(heights)
        reach[order] = np.where(np.isinf(nearer), self.slice_mm, nearer) / 2
        return reach

    def nearest(self, height_mm: float) -> tuple[int, float]:
        """The slice nearest to a height along the normal, and how far that lies from it in mm."""
        distances = np.abs(self.heights_mm - height_mm)
        index = int(distances.argmin())
        return index, float(distances[index])

    def pixels(self, points_mm: np.ndarray, index: int) -> np.ndarray:
        """(column, row) in one slice of N×3 points, dropped along the normal; voxel centres are whole numbers."""
        steps = np.column_stack([self.column_mm, self.row_mm, self.normal])
        return np.linalg.solve(steps, (points_mm - self.origins_mm[index]).T)[:2].T


def planes_of(volume: Volume) -> Planes | None:
    """The volume's slice planes, or None where it says nothing of where it lies."""
    affine = np.asarray(volume.affine_lps, np.float64)
    column, row, step, origin = affine[:3].T
    if not volume.oriented or not np.isfinite(affine).all() or np.linalg.norm(np.cross(column, row)) < 1e-9:
        return None
    across = np.cross(column, row)
    rise = float(step @ across / np.linalg.norm(across))
    turns = np.arange(len(volume.array), dtype=np.float64)
    if volume.positions_mm is not None and abs(rise) > 1e-9:
        turns = np.array(volume.positions_mm, np.float64) / abs(rise)
        # Positions may be counted along the normal or along the stack: the stack's own step says which way is on.
        turns *= -1.0 if turns[-1] < turns[0] else 1.0
    return Planes(origin + turns[:, None] * step, column, row, abs(rise) or 1.0)
