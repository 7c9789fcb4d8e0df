"""A drawn torso: organs as ellipsoids in patient space, evaluated at the voxel centres of any grid.

Patient space is LPS in mm (x to the patient's left, y to posterior, z to superior), its origin in the middle of the body.
The kidneys have a pelvis and the spine a canal that belong to no organ: their outlines have holes. Every second subject
has a nodule in a lung.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from .phantom_seed import near, noise, seeded

ORGANS = {
    1: "liver",
    2: "right kidney",
    3: "left kidney",
    4: "spleen",
    5: "right lung",
    6: "left lung",
    7: "spine",
    8: "lung nodule",
}
"""Value in label maps → raw label."""
AIR_HU = -1000
NOISE_HU = 6


@dataclass(frozen=True, slots=True)
class Grid:
    """Voxel centres of a stack of slices, in LPS mm."""

    origins: np.ndarray
    """Slices×3: centre of the first voxel of each slice."""
    column_step: np.ndarray
    """From one column to the next, 3."""
    row_step: np.ndarray
    """From one row to the next, 3."""
    size_hw_px: tuple[int, int]

    def centres(self) -> np.ndarray:
        """Slices × rows × columns × 3, float64."""
        rows, columns = (np.arange(n)[:, None] for n in self.size_hw_px)
        return self.origins[:, None, None] + (rows * self.row_step)[:, None] + columns * self.column_step


@dataclass(frozen=True, slots=True)
class Body:
    """What was drawn on a grid."""

    hu: np.ndarray
    """Slices × rows × columns, int16."""
    labels: np.ndarray
    """The same shape, uint8, with the values of `ORGANS`."""
    grid: Grid


@dataclass(frozen=True, slots=True)
class Part:
    """An ellipsoid of one tissue; a half axis of `inf` makes it a cylinder."""

    value: int
    """Of `ORGANS`, or 0 for a tissue that is no organ of ours."""
    hu: int
    centre_mm: tuple[float, float, float]
    half_axes_mm: tuple[float, float, float]

    def holds(self, centres: np.ndarray) -> np.ndarray:
        """Which points (…×3) lie inside."""
        squares = [((centres[..., i] - self.centre_mm[i]) / self.half_axes_mm[i]) for i in range(3)]
        return squares[0] * squares[0] + squares[1] * squares[1] + squares[2] * squares[2] <= 1.0


def axial_grid(size: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Grid:
    """A grid about the origin whose slices rise from the feet to the head.

    Args:
        size: Slices, rows, columns.
        spacing_mm: Between slices, rows and columns.
    """
    first = [-(n - 1) / 2 * step for n, step in zip(size, spacing_mm, strict=True)]
    origins = np.array([[first[2], first[1], first[0] + k * spacing_mm[0]] for k in range(size[0])])
    return Grid(origins, np.array([spacing_mm[2], 0.0, 0.0]), np.array([0.0, spacing_mm[1], 0.0]), (size[1], size[2]))


def draw_body(subject: int, grid: Grid) -> Body:
    """The subject on a grid; the same subject has the same organs on every grid."""
    centres = grid.centres()
    hu = np.full(centres.shape[:3], AIR_HU, np.int32)
    labels = np.zeros(hu.shape, np.uint8)
    for part in parts(subject):
        inside = part.holds(centres)
        hu[inside], labels[inside] = part.hu, part.value
    hu += noise(seeded("body noise", subject), hu.shape, NOISE_HU)
    return Body(np.clip(hu, -1024, 3071).astype(np.int16), labels, grid)


def parts(subject: int) -> list[Part]:
    """The subject's tissues in the order of painting: a later one covers the earlier."""
    draw = seeded("body", subject)

    def part(value: int, hu: int, centre: tuple[int, int, int], half: tuple[float, float, float]) -> Part:
        x, y, z = (near(draw, c, 3) for c in centre)
        stretch = near(draw, 100, 5) / 100
        return Part(value, hu, (x, y, z), (half[0] * stretch, half[1] * stretch, half[2] * stretch))

    torso = [
        Part(0, -100, (0, 0, 0), (150, 105, inf)),
        Part(0, 50, (0, 0, 0), (138, 93, inf)),
        Part(0, -60, (0, -2, 0), (128, 82, inf)),
        part(5, -850, (-68, -5, 55), (46, 62, 72)),
        part(6, -850, (68, -5, 55), (46, 62, 72)),
        part(0, 140, (25, -35, 35), (42, 38, 40)),
        part(1, 110, (-64, -12, -25), (56, 54, 45)),
        part(4, 125, (84, 22, -15), (30, 34, 28)),
    ]
    spine = part(7, 300, (0, 68, 0), (22, 19, inf))
    x, y, z = spine.centre_mm
    torso += [spine, Part(0, 20, (x, y + 4, z), (8, 7, inf))]
    for kidney in (part(2, 190, (-58, 46, -52), (26, 22, 36)), part(3, 190, (58, 46, -46), (26, 22, 36))):
        torso += [kidney, Part(0, 5, kidney.centre_mm, (9, 8, 13))]
    return torso + ([_nodule(subject, torso[3], torso[4])] if has_nodule(subject) else [])


def has_nodule(subject: int) -> bool:
    """Every second subject has one."""
    return subject % 2 == 1


def _nodule(subject: int, right_lung: Part, left_lung: Part) -> Part:
    """A ball in the upper outer part of one lung, where nothing else lies."""
    draw = seeded("nodule", subject)
    side, lung = (-1, right_lung) if draw.randint(2, dtype=np.int32) else (1, left_lung)
    x, y, z = lung.centre_mm
    radius = near(draw, 12, 2)
    centre = (x + side * near(draw, 12, 4), y + near(draw, -8, 6), z + near(draw, 22, 6))
    return Part(8, 25, centre, (radius, radius, radius))
