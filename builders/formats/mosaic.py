"""Siemens mosaics: a whole volume as tiles of one frame, and where its first tile lies.

The tiles fill a square of ceil(√n) per side, row by row, in the order of the slice normal that the CSA header states.
The header's position is that of the mosaic's corner as if the whole square were one slice around the same centre, so
the first tile's corner lies half the difference further in.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ...schema.errors import UnreadableError
from .dicom_header import faults, number, numbers, texts
from .dicom_plane import normal_of, orientation_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MR_HEADER = (0x0019, "SIEMENS MR HEADER", 0x0A)
"""Group, private creator and element of NumberOfImagesInMosaic."""


def is_mosaic(header: Dataset) -> bool:
    """Whether the frame holds a volume in tiles, and says how many."""
    return "MOSAIC" in texts(header, "ImageType") and tile_count(header) is not None


def tile_count(header: Dataset) -> int | None:
    """Number of slices in the mosaic, from the private element or the CSA header."""
    group, creator, element = MR_HEADER
    try:
        value = header.private_block(group, creator)[element].value
    except faults():
        value = _csa(header).get("NumberOfImagesInMosaic")
    count = _whole(value)
    return count if count is not None and count > 0 else None


def tiles(mosaic: np.ndarray, count: int) -> np.ndarray:
    """The slices, (count, rows, columns), contiguous, in the order of the mosaic.

    Raises:
        UnreadableError: the frame can't be cut into that many tiles.
    """
    side = math.isqrt(count - 1) + 1
    rows, columns = mosaic.shape[0] // side, mosaic.shape[1] // side
    if (rows * side, columns * side) != mosaic.shape[:2] or rows * columns == 0:
        found = f"a mosaic of {mosaic.shape[0]}×{mosaic.shape[1]} px for {count} slices"
        raise UnreadableError(found, expected=f"a size that {side} divides")
    cut = mosaic.reshape(side, rows, side, columns).swapaxes(1, 2).reshape(side * side, rows, columns)
    return np.ascontiguousarray(cut[:count])


def affine_lps(header: Dataset, count: int) -> np.ndarray:
    """4×4 from (column, row, slice, 1) of the cut volume to LPS mm.

    Raises:
        UnreadableError: the header lacks position, orientation, spacing or distance of slices.
    """
    orientation = orientation_of(header)
    corner = numbers(header, "ImagePositionPatient", count=3)
    spacing = numbers(header, "PixelSpacing", count=2)
    step = number(header, "SpacingBetweenSlices") or number(header, "SliceThickness")
    if orientation is None or corner is None or spacing is None or not step:
        raise UnreadableError("a mosaic without place", expected="position, orientation and spacings")
    side = math.isqrt(count - 1) + 1
    size = np.array([number(header, "Columns") or 0, number(header, "Rows") or 0])
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(orientation[:3]) * spacing[1]
    affine[:3, 1] = np.asarray(orientation[3:]) * spacing[0]
    affine[:3, 2] = _stacking(header, orientation) * step
    affine[:3, 3] = np.asarray(corner) + affine[:3, :2] @ ((size - size / side) / 2)
    return affine


def _stacking(header: Dataset, orientation: tuple[float, ...]) -> np.ndarray:
    """Direction from slice to slice: the normal, turned to the side that the CSA header states."""
    normal = normal_of(orientation)
    stated = _csa(header).get("SliceNormalVector")
    if stated is None or len(stated) != 3:
        return normal
    return normal if float(np.dot(stated, normal)) >= 0 else -normal


def _csa(header: Dataset) -> dict[str, Any]:
    """NumberOfImagesInMosaic and SliceNormalVector of the CSA image header, those of them that are there."""
    with warnings.catch_warnings():
        # Importing nibabel.nicom warns that it is experimental; the header reader has been stable for a decade.
        warnings.simplefilter("ignore")
        from nibabel.nicom import csareader
    try:
        csa = csareader.get_csa_header(header, "image")
        normal = csareader.get_slice_normal(csa) if csa else None
        count = csareader.get_n_mosaic(csa) if csa else None
    except (*faults(), csareader.CSAError):
        return {}
    found = {"SliceNormalVector": normal, "NumberOfImagesInMosaic": count}
    return {name: value for name, value in found.items() if value is not None}


def _whole(value: Any) -> int | None:
    """A count that may come as number, digits, or little-endian bytes where the VR is unknown."""
    if isinstance(value, bytes):
        return int.from_bytes(value[:2], "little") if len(value) == 2 else _digits(value.decode("ascii", "ignore"))
    return _digits(str(value)) if value is not None else None


def _digits(word: str) -> int | None:
    word = word.strip("\0 ")
    return int(word) if word.isdecimal() else None
