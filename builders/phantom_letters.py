"""A volume with letters near its faces, so that anyone sees which way a slice is turned.

On one axial, one coronal and one sagittal slab stand the letters of the four directions that its picture shows: A and P
for anterior and posterior, R and L for the patient's right and left, S and I for superior and inferior. They are upright
in radiological display: axial with A above and R at image left, coronal with S above and R at image left, sagittal with S
above and A at image left.
"""

from __future__ import annotations

import numpy as np

LETTERS = {
    "A": (".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"),
    "P": ("####.", "#...#", "#...#", "####.", "#....", "#....", "#...."),
    "R": ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"),
    "L": ("#....", "#....", "#....", "#....", "#....", "#....", "#####"),
    "S": (".####", "#....", "#....", ".###.", "....#", "....#", "####."),
    "I": ("#####", "..#..", "..#..", "..#..", "..#..", "..#..", "#####"),
}
"""Letter → its 7 rows of 5 pixels."""
SHAPE_LPS = (56, 48, 52)
"""Voxels along x (to the left), y (to posterior), z (to superior): three different numbers, so that no swap goes unseen."""
SPACING_MM = 2.0
SLAB = 12
"""Index along its normal, in LPS order, of each plane's slab."""
BACKGROUND, INK = 100, 1000
SHOWN = {"axial": ("A", "P", "R", "L"), "coronal": ("S", "I", "R", "L"), "sagittal": ("S", "I", "A", "P")}
"""Plane → letters at top, bottom, left and right of its picture."""
_MARGIN = 3
_OPPOSITE = {"L": "R", "P": "A", "S": "I"}


def lettered_volume(directions: str = "LPS") -> tuple[np.ndarray, np.ndarray]:
    """The volume, int16 (slices, rows, columns), and its 4×4 affine from (column, row, slice) to LPS mm.

    Args:
        directions: Where column, row and slice indices rise to: `LPS` is an axial DICOM series, `RAS` the usual NIfTI,
            `LIP` a coronal and `PIL` a sagittal series. Voxels keep their place in space.
    """
    xyz = _lps()
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * SPACING_MM for n in xyz.shape]
    order, turned = [], affine.copy()
    for column, direction in enumerate(directions):
        axis = next(i for i, pair in enumerate(("LR", "PA", "SI")) if direction in pair)
        order.append(axis)
        turned[:3, column] = affine[:3, axis]
        if direction in _OPPOSITE.values():
            xyz = np.flip(xyz, axis)
            turned[:3, 3] += affine[:3, axis] * (xyz.shape[axis] - 1)
            turned[:3, column] *= -1
    return np.ascontiguousarray(xyz.transpose(order[::-1])), turned


def letters_shown(picture: np.ndarray) -> dict[str, str]:
    """The upright letters found at top, bottom, left and right of an H×W picture; a side without one is absent.

    The picture must hold one voxel per pixel, in any grey values where ink is brighter than all else.
    """
    ink = picture == picture.max()
    windows = {side: ink[top : top + 7, left : left + 5] for side, (top, left) in _places(picture.shape).items()}
    return {
        side: letter
        for side, window in windows.items()
        for letter, rows in LETTERS.items()
        if np.array_equal(window, _bitmap(rows))
    }


def _lps() -> np.ndarray:
    """Indexed [x, y, z], rising to left, posterior, superior."""
    volume = np.full(SHAPE_LPS, BACKGROUND, np.int16)
    # Displayed as (rows, columns): axial (y, x); coronal (z reversed, x); sagittal (z reversed, y).
    pictures = {
        "axial": volume[:, :, SLAB].T,
        "coronal": volume[:, SLAB, ::-1].T,
        "sagittal": volume[SLAB, :, ::-1].T,
    }
    for plane, picture in pictures.items():
        for letter, (top, left) in zip(SHOWN[plane], _places(picture.shape).values(), strict=True):
            picture[top : top + 7, left : left + 5][_bitmap(LETTERS[letter])] = INK
    return volume


def _places(size_hw_px: tuple[int, ...]) -> dict[str, tuple[int, int]]:
    """Side → row and column of the upper left pixel of its letter."""
    height, width = size_hw_px
    middle_row, middle_column = (height - 7) // 2, (width - 5) // 2
    return {
        "top": (_MARGIN, middle_column),
        "bottom": (height - _MARGIN - 7, middle_column),
        "left": (middle_row, _MARGIN),
        "right": (middle_row, width - _MARGIN - 5),
    }


def _bitmap(rows: tuple[str, ...]) -> np.ndarray:
    return np.array([[pixel == "#" for pixel in row] for row in rows])
