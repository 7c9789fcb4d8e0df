"""Whether a head volume shows a face: skin in front of the brain, from the brow down.

A skull-stripped brain has nothing outside itself, and a defaced head no skin where the face was. So the brain is found as
the largest thing that stays when thin layers are worn off, and what counts is the area of surface, seen from the front, that

- lies outside the brain, in the middle 90 mm from side to side,
- from the level of the brain's foremost point 120 mm down,
- and no farther back than 25 mm behind that point: nose, cheeks, lips and chin are, ears and neck aren't.

Measured on heads at hand: two skull-stripped atlases have 0 cm², heads imaged from the vertex to the nose 50 to 87 cm².
Volumes too small to hold a brain and a face aren't heads in this sense. Everything is computed on a grid of 2 mm with
SimpleITK, without chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRID_MM = 2.0
FACE_CM2 = 30.0
"""From here on a face is said to be there: skin of the forehead from the frontal pole to the root of the nose has less."""
SMALLEST_MM = (60.0, 110.0, 90.0)
"""Least extent of a head from top to bottom, front to back, side to side: of what is imaged, not of the picture."""
_HALF_WIDTH_MM, _DOWN_MM, _BEHIND_MM = 45.0, 120.0, 25.0
_WORN_MM, _SKIN_MM = 12.0, 5.0
_UPPER_MM = 110.0
_SPECK = 0.02
_BONE = 250
"""In a brain or soft-tissue window of CT all bone is at the upper end."""
_DARK = 0.12
"""Share of the bright level (98th percentile of what isn't black) below which there is air."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What was measured in a volume."""

    tissue: np.ndarray
    """Bool, (superior → inferior, anterior → posterior, right → left): all that isn't air, without specks."""
    face_cm2: float
    """Area of face surface seen from the front; 0 where the volume is too small to be a head."""
    whole: bool
    """Whether the volume is large enough to judge."""

    @property
    def shows_face(self) -> bool:
        """Whether a person may be recognised."""
        return self.face_cm2 >= FACE_CM2


def measured(volume: np.ndarray, *, modality: str) -> Head:
    """What a volume shows.

    Args:
        volume: uint8, (superior → inferior, anterior → posterior, right → left), on a grid of `GRID_MM`.
        modality: CT or MRI.
    """
    tissue = _tissue(volume)
    extent = _extent_mm(tissue)
    if any(found < least for found, least in zip(extent, SMALLEST_MM, strict=True)):
        return Head(tissue, 0.0, False)
    brain = _brain(volume, tissue, modality=modality)
    return Head(tissue, _face_cm2(tissue, brain), True)


def _tissue(volume: np.ndarray) -> np.ndarray:
    """What isn't air: above a share of the bright level, opened, without small pieces."""
    lit = volume[volume > 4]
    if not lit.size:
        return np.zeros(volume.shape, bool)
    bright = volume > max(8.0, _DARK * float(np.percentile(lit, 98)))
    return _pieces(_opened(bright))


def _brain(volume: np.ndarray, tissue: np.ndarray, *, modality: str) -> np.ndarray:
    """What stays of soft tissue when `_WORN_MM` are worn off, grown back and a little more.

    The piece with most of the head's upper part: jaw, neck and shoulders together may be larger than a brain.
    """
    import SimpleITK as sitk

    soft = tissue & (volume < _BONE) if modality == "CT" else tissue
    image = sitk.GetImageFromArray(soft.astype(np.uint8))
    distance = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(image, insideIsPositive=True, squaredDistance=False))
    kept = _largest(distance * GRID_MM > _WORN_MM, within=_upper(tissue))
    if not kept.any():
        return kept
    grown = sitk.GetImageFromArray(kept.astype(np.uint8))
    outside = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(grown, insideIsPositive=False, squaredDistance=False))
    return outside * GRID_MM <= _WORN_MM + _SKIN_MM


def _face_cm2(tissue: np.ndarray, brain: np.ndarray) -> float:
    """Area, in cm², of what lies before the brain: see the module's words."""
    if not brain.any():
        return 0.0
    inside = np.argwhere(brain & tissue)
    front = int(inside[:, 1].min())
    level = int(np.median(inside[inside[:, 1] <= front + 1, 0]))
    middle = int(np.median(inside[:, 2]))
    half, down, behind = (round(one / GRID_MM) for one in (_HALF_WIDTH_MM, _DOWN_MM, _BEHIND_MM))
    across = slice(max(0, middle - half), middle + half)
    seen = tissue[level : level + down, :, across]
    first = seen.argmax(1)
    skin = ~np.take_along_axis(brain[level : level + down, :, across], first[:, None], 1)[:, 0]
    return float((seen.any(1) & skin & (first <= front + behind)).sum()) * GRID_MM**2 / 100


def _extent_mm(tissue: np.ndarray) -> tuple[float, ...]:
    places = [np.flatnonzero(tissue.any(tuple(other for other in range(3) if other != axis))) for axis in range(3)]
    return tuple(float(one[-1] - one[0] + 1) * GRID_MM if one.size else 0.0 for one in places)


def _opened(mask: np.ndarray) -> np.ndarray:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    return sitk.GetArrayFromImage(sitk.BinaryMorphologicalOpening(image, (1, 1, 1), sitk.sitkBall)) > 0


def _pieces(mask: np.ndarray) -> np.ndarray:
    """The connected pieces of a mask that aren't specks: a skull may part scalp and brain."""
    import SimpleITK as sitk

    pieces = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8))))
    sizes = np.bincount(pieces.ravel(), minlength=2)
    sizes[0] = 0
    return np.isin(pieces, np.flatnonzero(sizes > _SPECK * sizes.max()))


def _upper(tissue: np.ndarray) -> slice:
    """The slices from the vertex down in which most is brain."""
    top = int(np.flatnonzero(tissue.any((1, 2)))[0])
    return slice(top, top + round(_UPPER_MM / GRID_MM))


def _largest(mask: np.ndarray, within: slice = slice(None)) -> np.ndarray:
    """The connected piece of a mask that is largest in some slices; nothing where none is there."""
    import SimpleITK as sitk

    pieces = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8))))
    sizes = np.bincount(pieces[within].ravel(), minlength=2)
    sizes[0] = 0
    return pieces == sizes.argmax() if sizes.any() else np.zeros(mask.shape, bool)
