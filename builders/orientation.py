"""Radiological display: which way a slice is turned, and what its spacing is.

Axial: anterior up, patient's right on image left. Coronal: superior up, patient's right on image left. Sagittal: superior
up, anterior on image left. Axes are the patient's, x to the left, y to posterior, z to superior (LPS, DICOM PS3.3
C.7.6.2); an oblique axis counts as the nearest one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PLANES = ("sagittal", "coronal", "axial")
"""Plane whose normal is patient axis x, y, z."""
OBLIQUE_COSINE = np.cos(np.deg2rad(15))
_POSITIVE, _NEGATIVE = "LPS", "RAI"
_DISPLAY = {"axial": ((1, 1), (0, 1)), "coronal": ((2, -1), (0, 1)), "sagittal": ((2, -1), (1, 1))}
"""Plane → (patient axis, sign) that runs down the rows, then along the columns."""


@dataclass(frozen=True, slots=True)
class View:
    """How slices along one array axis are shown.

    `axis` counts array axes (slices 0, rows 1, columns 2). A slice is the array indexed along it, transposed if `transpose`,
    then reversed down and across as `flip_rows`, `flip_columns` say.
    """

    plane: str | None
    axis: int
    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False
    spacing_mm: tuple[float, float] | None = None
    oblique: bool = False
    orientation: str | None = None

    def show(self, array: np.ndarray, index: int) -> np.ndarray:
        """Slice `index` of (slices, rows, columns[, channels]) as displayed: rows, columns[, channels]; a view."""
        plane = array[(slice(None),) * self.axis + (index,)]
        if self.transpose:
            plane = plane.swapaxes(0, 1)
        return plane[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


def patient_axes(affine_lps: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Per array axis (slices, rows, columns): nearest patient axis (0 x, 1 y, 2 z) and its sign, each used once."""
    directions = affine_lps[:3, [2, 1, 0]]
    cosines = directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-12)
    found: dict[int, tuple[int, int]] = {}
    for _ in range(3):
        taken = [patient for patient, _ in found.values()]
        rest = np.abs(cosines)
        rest[taken, :] = -1
        rest[:, list(found)] = -1
        patient, axis = np.unravel_index(np.argmax(rest), rest.shape)
        found[int(axis)] = int(patient), 1 if cosines[patient, axis] >= 0 else -1
    return tuple(found[axis] for axis in range(3))


def spacings_mm(affine_lps: np.ndarray) -> tuple[float, float, float]:
    """Distance between voxel centres along slices, rows and columns."""
    lengths = np.linalg.norm(affine_lps[:3, [2, 1, 0]], axis=0)
    return float(lengths[0]), float(lengths[1]), float(lengths[2])


def as_stored(spacing_mm: tuple[float, float] | None) -> View:
    """Slices as they lie in the file, where nothing is known of the patient's directions."""
    return View(plane=None, axis=0, spacing_mm=spacing_mm)


def views(affine_lps: np.ndarray) -> dict[str, View]:
    """The three planes of a volume; the acquisition plane is the one with `axis` 0."""
    axes, spacing = patient_axes(affine_lps), spacings_mm(affine_lps)
    cosines = affine_lps[:3, [2, 1, 0]] / np.maximum(spacing, 1e-12)
    of_patient = {patient: (axis, sign) for axis, (patient, sign) in enumerate(axes)}
    return {
        plane: _view(plane, of_patient, spacing, oblique=_is_oblique(cosines, of_patient[normal][0], normal))
        for normal, plane in enumerate(PLANES)
    }


def _view(plane: str, of_patient: dict[int, tuple[int, int]], spacing, *, oblique: bool) -> View:
    (down, down_sign), (across, across_sign) = _DISPLAY[plane]
    row_axis, row_sign = of_patient[down]
    column_axis, column_sign = of_patient[across]
    return View(
        plane=plane,
        axis=3 - row_axis - column_axis,
        transpose=row_axis > column_axis,
        flip_rows=row_sign != down_sign,
        flip_columns=column_sign != across_sign,
        spacing_mm=(spacing[row_axis], spacing[column_axis]),
        oblique=oblique,
        orientation=_letter(across, across_sign) + _letter(down, down_sign),
    )


def _letter(patient: int, sign: int) -> str:
    return (_POSITIVE if sign > 0 else _NEGATIVE)[patient]


def _is_oblique(cosines: np.ndarray, axis: int, patient: int) -> bool:
    return bool(abs(cosines[patient, axis]) < OBLIQUE_COSINE)
