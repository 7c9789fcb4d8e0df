"""Which way a slice lies: its axes and normal in patient space, its plane, its letters.

Patient space is LPS in millimetres: x to the patient's left, y to posterior, z to superior (DICOM PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .dicom_header import items, numbers, texts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PLANES = ("sagittal", "coronal", "axial")
"""By the axis (x, y, z) that the normal is nearest to."""
_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))


def orientation_of(dataset: Dataset) -> tuple[float, ...] | None:
    """Six direction cosines of image right and image down; of a multi-frame object those of its first frame."""
    found = numbers(dataset, "ImageOrientationPatient", count=6)
    if found is None:
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            for group in items(dataset, keyword)[:1]:
                for plane in items(group, "PlaneOrientationSequence"):
                    found = found or numbers(plane, "ImageOrientationPatient", count=6)
    return found if found is not None and _orthonormal(found) else None


def normal_of(orientation: tuple[float, ...]) -> np.ndarray:
    """Unit normal of the slice, (3,), to the side from which rows and columns turn right-handed."""
    normal = np.cross(orientation[:3], orientation[3:])
    return normal / np.linalg.norm(normal)


def plane_of(dataset: Dataset) -> str | None:
    """axial, coronal or sagittal, the nearest of an oblique one; None without an orientation."""
    orientation = orientation_of(dataset)
    return None if orientation is None else PLANES[int(np.abs(normal_of(orientation)).argmax())]


def letters_of(dataset: Dataset) -> str | None:
    """Patient directions of image right and image down, such as `LP`; from the header's words for projections."""
    orientation = orientation_of(dataset)
    if orientation is not None:
        return _letter(orientation[:3]) + _letter(orientation[3:])
    stated = [word[:1].replace("H", "S").replace("F", "I") for word in texts(dataset, "PatientOrientation")]
    return "".join(stated) if len(stated) == 2 and all(one in "LRPASI" for one in stated) else None


def _letter(direction: tuple[float, ...]) -> str:
    axis = int(np.abs(direction).argmax())
    return _LETTERS[axis][direction[axis] < 0]


def _orthonormal(orientation: tuple[float, ...]) -> bool:
    """Within 1 %, as some writers round the cosines to three digits."""
    right, down = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    lengths = np.linalg.norm(right), np.linalg.norm(down)
    return bool(np.allclose(lengths, 1.0, atol=0.01) and abs(right @ down) < 0.01)
