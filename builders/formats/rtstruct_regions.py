"""What an RTSTRUCT holds, as plain data: its regions of interest and their contours (DICOM PS3.3 A.19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...schema.sample import Origin
from .dicom_object import origin_of

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contour:
    """One ring, as it was drawn."""

    kind: str
    """CLOSED_PLANAR, CLOSEDPLANAR_XOR, POINT, OPEN_PLANAR or OPEN_NONPLANAR."""
    points_mm: np.ndarray | None
    """N×3 in LPS; None where its data isn't three or more points."""
    images: tuple[str, ...]
    """SOP instance UIDs of the slices that it was drawn on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roi:
    """One region of interest."""

    number: int
    name: str
    origin: Origin
    frame_of_reference: str | None
    contours: tuple[Contour, ...]


def rois_of(header: Dataset) -> list[Roi]:
    """The regions of interest in the order of the structure set, those without contours too."""
    drawn: dict[int, list[Contour]] = {}
    for item in header.get("ROIContourSequence") or ():
        contours = [_contour(one) for one in item.get("ContourSequence") or ()]
        drawn.setdefault(int(item.ReferencedROINumber), []).extend(contours)
    observed = {
        int(item.ReferencedROINumber): str(item.get("ROIObservationLabel") or "").strip()
        for item in header.get("RTROIObservationsSequence") or ()
        if item.get("ReferencedROINumber") is not None
    }
    return [_roi(item, drawn, observed) for item in header.get("StructureSetROISequence") or ()]


def listed_images(header: Dataset) -> frozenset[str]:
    """SOP instance UIDs of the images that the structure set says it was drawn on."""
    return frozenset(
        str(image.ReferencedSOPInstanceUID)
        for frame in header.get("ReferencedFrameOfReferenceSequence") or ()
        for study in frame.get("RTReferencedStudySequence") or ()
        for series in study.get("RTReferencedSeriesSequence") or ()
        for image in series.get("ContourImageSequence") or ()
    )


def _roi(item: Dataset, drawn: dict[int, list[Contour]], observed: dict[int, str]) -> Roi:
    number = int(item.ROINumber)
    name = str(item.get("ROIName") or "").strip() or observed.get(number, "")
    return Roi(
        number=number,
        name=name or f"region {number}",
        origin=origin_of(str(item.get("ROIGenerationAlgorithm") or "")),
        frame_of_reference=str(item.get("ReferencedFrameOfReferenceUID") or "") or None,
        contours=tuple(drawn.get(number, ())),
    )


def _contour(item: Dataset) -> Contour:
    images = item.get("ContourImageSequence") or ()
    return Contour(
        kind=str(item.get("ContourGeometricType") or "").strip(),
        points_mm=_points(item),
        images=tuple(str(image.ReferencedSOPInstanceUID) for image in images),
    )


def _points(item: Dataset) -> np.ndarray | None:
    data = item.get("ContourData")
    if data is None or isinstance(data, str | float):
        return None
    numbers = np.array(data, dtype=np.float64)
    if numbers.size < 9 or numbers.size % 3 or not np.isfinite(numbers).all():
        return None
    return numbers.reshape(-1, 3)
