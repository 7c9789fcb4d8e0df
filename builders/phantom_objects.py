"""Ground truth as DICOM objects: a SEG written by highdicom, and an RTSTRUCT whose contours run along pixel edges.

Contours along pixel edges enclose exactly the pixels of the mask, whatever rule a reader fills them by; a hole is a contour
inside another of the same region (DICOM PS3.3 C.8.8.6 leaves no other way for CLOSED_PLANAR than even-odd).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..schema.region import contours_from_mask
from .phantom_body import ORGANS, Body
from .phantom_ct import CT_STORAGE, decimals, file_meta
from .phantom_seed import CANARIES, STUDY_DATE, STUDY_TIME, uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RTSTRUCT_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
_CODES = {1: "Liver", 2: "Kidney", 3: "Kidney", 4: "Spleen", 5: "Lung", 6: "Lung", 7: "Spine", 8: "Nodule"}
_SHARED = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyInstanceUID")
_FIXED = {"DA": STUDY_DATE, "TM": STUDY_TIME, "DT": STUDY_DATE + STUDY_TIME}


def write_seg(path: Path, body: Body, series: Sequence[Dataset]) -> None:
    """Write the labels as a binary SEG, one segment per organ that is there, named as in `ORGANS`."""
    from highdicom.seg import Segmentation

    values = [int(value) for value in np.unique(body.labels) if value]
    patient = str(series[0].PatientID)
    seg = Segmentation(
        source_images=list(series),
        pixel_array=np.stack([body.labels == value for value in values], axis=-1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[_segment(number, value, patient) for number, value in enumerate(values, 1)],
        series_instance_uid=uid(patient, "seg series"),
        series_number=2,
        sop_instance_uid=uid(patient, "seg"),
        instance_number=1,
        manufacturer="CANARY maker",
        manufacturer_model_name="CANARY model",
        software_versions="CANARY software",
        device_serial_number="CANARY-SERIAL",
        content_creator_name="CANARY^CREATOR",
        content_description="CANARY content",
        series_description="CANARY seg",
    )
    _fix(seg, patient)
    seg.file_meta = file_meta(seg.SOPClassUID, seg.SOPInstanceUID)
    seg.save_as(path, enforce_file_format=True)


def write_rtstruct(path: Path, body: Body, series: Sequence[Dataset]) -> None:
    """Write the labels as a structure set, one region per organ that is there, named as in `ORGANS`."""
    from pydicom.dataset import Dataset

    patient = str(series[0].PatientID)
    structures = Dataset()
    for keyword in _SHARED:
        setattr(structures, keyword, series[0].get(keyword))
    structures.SOPClassUID, structures.SOPInstanceUID = RTSTRUCT_STORAGE, uid(patient, "rtstruct")
    structures.SeriesInstanceUID, structures.SeriesNumber = uid(patient, "rtstruct series"), 3
    structures.Modality, structures.Manufacturer = "RTSTRUCT", "CANARY maker"
    structures.StructureSetLabel, structures.StructureSetName = "CANARY label", "CANARY set"
    structures.StructureSetDate, structures.StructureSetTime = STUDY_DATE, STUDY_TIME
    structures.ReferencedFrameOfReferenceSequence = [_frame_of_reference(series)]
    values = [int(value) for value in np.unique(body.labels) if value]
    structures.StructureSetROISequence = [_region(n, v, series[0]) for n, v in enumerate(values, 1)]
    structures.ROIContourSequence = [_contours(n, v, body, series=series) for n, v in enumerate(values, 1)]
    structures.RTROIObservationsSequence = [_observation(n) for n in range(1, len(values) + 1)]
    structures.ApprovalStatus = "UNAPPROVED"
    structures.file_meta = file_meta(RTSTRUCT_STORAGE, structures.SOPInstanceUID)
    structures.save_as(path, enforce_file_format=True)


def _segment(number: int, value: int, patient: str):
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes

    lesion = value == 8
    return SegmentDescription(
        segment_number=number,
        segment_label=ORGANS[value],
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure if lesion else codes.SCT.AnatomicalStructure,
        segmented_property_type=getattr(codes.SCT, _CODES[value]),
        algorithm_type="MANUAL",
        tracking_uid=uid(patient, "segment", value),
        tracking_id=f"CANARY {number}",
    )


def _fix(dataset: Dataset, patient: str) -> None:
    """Give every date and UID that the library made up a value of ours, in the order in which they stand."""
    known: dict[str, str] = {}
    for element in dataset.iterall():
        if element.VR == "UI" and element.value and element.VM == 1 and not element.value.startswith(("1.2.840.", "2.25.")):
            element.value = known.setdefault(element.value, uid(patient, "seg uid", len(known)))
        elif element.VR in _FIXED and element.value and str(element.value) not in CANARIES:
            element.value = _FIXED[element.VR]


def _frame_of_reference(series: Sequence[Dataset]) -> Dataset:
    from pydicom.dataset import Dataset

    frame, study, images = Dataset(), Dataset(), Dataset()
    images.SeriesInstanceUID = series[0].SeriesInstanceUID
    images.ContourImageSequence = [_reference(image) for image in series]
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = series[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = [images]
    frame.FrameOfReferenceUID = series[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    return frame


def _reference(image: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CT_STORAGE, image.SOPInstanceUID
    return reference


def _region(number: int, value: int, image: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    region = Dataset()
    region.ROINumber, region.ROIName = number, ORGANS[value]
    region.ReferencedFrameOfReferenceUID = image.FrameOfReferenceUID
    region.ROIDescription, region.ROIGenerationAlgorithm = "CANARY region", "MANUAL"
    return region


def _contours(number: int, value: int, body: Body, *, series: Sequence[Dataset]) -> Dataset:
    from pydicom.dataset import Dataset

    region = Dataset()
    region.ReferencedROINumber, region.ROIDisplayColor, region.ContourSequence = number, [255, 0, 0], []
    grid = body.grid
    for index, image in enumerate(series):
        for ring in contours_from_mask(body.labels[index] == value):
            # A pixel's centre is half a pixel from its corner, which is where the rings of region.py run.
            points = grid.origins[index] + (ring[:, :1] - 0.5) * grid.column_step + (ring[:, 1:] - 0.5) * grid.row_step
            contour = Dataset()
            contour.ContourImageSequence = [_reference(image)]
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
            contour.ContourData = decimals(points.ravel())
            region.ContourSequence.append(contour)
    return region


def _observation(number: int) -> Dataset:
    from pydicom.dataset import Dataset

    observation = Dataset()
    observation.ObservationNumber, observation.ReferencedROINumber = number, number
    observation.RTROIInterpretedType, observation.ROIInterpreter = "ORGAN", "CANARY^INTERPRETER"
    return observation
