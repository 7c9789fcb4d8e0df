"""Drawn CT files: NIfTI volumes with label maps, and DICOM series whose headers are full of canaries."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .phantom_body import Grid
from .phantom_seed import BIRTH_DATE, CANARY, STUDY_DATE, STUDY_TIME, uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileMetaDataset

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
INTERCEPT_HU = -1024
TILT_DEGREES = 16.2602
"""Of the triangle 7 : 24 : 25, whose sine and cosine are the decimals 0.28 and 0.96."""
TEXTS = {
    "AccessionNumber": "CANARY-ACC",
    "AdmissionID": "CANARY-ADM",
    "DeviceSerialNumber": "CANARY-SERIAL",
    "DerivationDescription": "CANARY derivation",
    "EthnicGroup": "CANARY group",
    "ImageComments": "CANARY image comment",
    "InstitutionAddress": "CANARY street",
    "InstitutionName": "CANARY hospital",
    "InstitutionalDepartmentName": "CANARY department",
    "Manufacturer": "CANARY maker",
    "ManufacturerModelName": "CANARY model",
    "Occupation": "CANARY trade",
    "OperatorsName": "CANARY^OPERATOR",
    "PatientAddress": "CANARY lane",
    "PatientComments": "CANARY patient comment",
    "PatientMotherBirthName": "CANARY^MOTHER",
    "PatientTelephoneNumbers": "CANARY-555",
    "PerformingPhysicianName": "CANARY^PERFORMING",
    "ProtocolName": "CANARY protocol",
    "ReferringPhysicianName": "CANARY^REFERRING",
    "RequestingPhysician": "CANARY^REQUESTING",
    "SeriesDescription": "CANARY series",
    "SoftwareVersions": "CANARY software",
    "StationName": "CANARY-STATION",
    "StudyDescription": "CANARY study",
    "StudyID": "CANARY-STUDY",
}
"""Keyword → canary, the same in every drawn DICOM file."""


def write_nifti(path: Path, array: np.ndarray, affine_lps: np.ndarray) -> None:
    """Write (slices, rows, columns) as NIfTI-1 whose axes are columns, rows, slices; gzipped if the name ends in .gz."""
    import nibabel

    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine_lps
    image = nibabel.Nifti1Image(np.ascontiguousarray(array.transpose(2, 1, 0)), affine)
    image.header["descrip"] = f"{CANARY} description"
    image.header["aux_file"] = f"{CANARY} aux"
    image.header["db_name"] = f"{CANARY} name"
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    data = image.to_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_gzipped(data) if path.name.endswith(".gz") else data)


def affine_of(grid: Grid) -> np.ndarray:
    """The 4×4 affine from (column, row, slice) to LPS mm of an evenly spaced grid."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 3] = grid.column_step, grid.row_step, grid.origins[0]
    affine[:3, 2] = grid.origins[1] - grid.origins[0]
    return affine


def grid_of(affine_lps: np.ndarray, shape: Sequence[int]) -> Grid:
    """The grid of a (slices, rows, columns) array with this affine."""
    origins = affine_lps[:3, 3] + np.arange(shape[0])[:, None] * affine_lps[:3, 2]
    return Grid(origins, affine_lps[:3, 0], affine_lps[:3, 1], (shape[1], shape[2]))


def write_series(folder: Path, hu: np.ndarray, grid: Grid, *, patient: Dataset, rle: bool = False) -> list[Dataset]:
    """Write one CT file per slice and return the data sets in slice order.

    Files are numbered against the slice order, as scanners that begin at the head do.

    Args:
        folder: Is made; its name becomes part of the UIDs.
        hu: Slices × rows × columns, int16.
        grid: Where the voxels lie.
        patient: From `patient_of`.
        rle: Compress the pixels with RLE lossless.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, pixels in enumerate(hu):
        number = len(hu) - index
        dataset = _slice(pixels, grid, index=index, patient=patient, number=number)
        if rle:
            dataset.compress("1.2.840.10008.1.2.5", encoding_plugin="pydicom", generate_instance_uid=False)
        dataset.save_as(folder / f"im{number:04d}.dcm", enforce_file_format=True)
        written.append(dataset)
    return written


def patient_of(patient_id: str, *, sex: str, age: str) -> Dataset:
    """The elements that all files of a patient share: identity, study, canaries in text, nested and private elements.

    Args:
        patient_id: Names the UIDs of study and frame of reference too.
        sex: F, M or O.
        age: As DICOM writes it, such as `093Y`.
    """
    from pydicom.dataset import Dataset

    shared = Dataset()
    shared.PatientName, shared.PatientID = f"{CANARY}^NAME^{patient_id}", patient_id
    shared.PatientBirthDate, shared.PatientSex, shared.PatientAge = BIRTH_DATE, sex, age
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(shared, keyword, STUDY_DATE)
        setattr(shared, keyword.replace("Date", "Time"), STUDY_TIME)
    for keyword, text in TEXTS.items():
        setattr(shared, keyword, text)
    _nest(shared)
    shared.StudyInstanceUID = uid(patient_id, "study")
    shared.FrameOfReferenceUID = uid(patient_id, "frame of reference")
    return shared


def file_meta(sop_class: str, sop_instance: str) -> FileMetaDataset:
    """File meta information that names no library version."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(sop_instance)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(uid("implementation")), "PHANTOM"
    return meta


def _nest(shared: Dataset) -> None:
    from pydicom.dataset import Dataset

    other, code, request = Dataset(), Dataset(), Dataset()
    other.PatientID, other.IssuerOfPatientID = "CANARY-OTHER-ID", "CANARY issuer"
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "CANARY-1", "99CANARY", "CANARY meaning"
    request.RequestedProcedureDescription, request.ScheduledProcedureStepID = "CANARY procedure", "CANARY-STEP"
    request.ScheduledProtocolCodeSequence = [code]
    shared.OtherPatientIDsSequence, shared.RequestAttributesSequence = [other], [request]
    private = shared.private_block(0x0011, "CANARY CREATOR", create=True)
    private.add_new(0x01, "LO", "CANARY private")
    private.add_new(0x02, "PN", "CANARY^PRIVATE")


def _slice(pixels: np.ndarray, grid: Grid, *, index: int, patient: Dataset, number: int) -> Dataset:
    from copy import deepcopy

    dataset = deepcopy(patient)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT_STORAGE, uid(patient.PatientID, "slice", index)
    dataset.SeriesInstanceUID, dataset.SeriesNumber = uid(patient.PatientID, "series"), 1
    dataset.Modality, dataset.BodyPartExamined, dataset.PatientPosition = "CT", "ABDOMEN", "HFS"
    dataset.ImageType, dataset.BurnedInAnnotation = ["ORIGINAL", "PRIMARY", "AXIAL"], "NO"
    dataset.KVP, dataset.InstanceNumber, dataset.AcquisitionNumber = 120, number, 1
    _place(dataset, grid, index)
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME2", 1
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = INTERCEPT_HU, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.PixelData = (pixels.astype(np.int32) - INTERCEPT_HU).astype("<u2").tobytes()
    dataset.file_meta = file_meta(CT_STORAGE, dataset.SOPInstanceUID)
    return dataset


def _place(dataset: Dataset, grid: Grid, index: int) -> None:
    """Position, orientation, spacing and tilt, each number as short as it is exact."""
    across, down = (float(np.sqrt(step @ step)) for step in (grid.column_step, grid.row_step))
    dataset.ImagePositionPatient = decimals(grid.origins[index])
    dataset.ImageOrientationPatient = decimals([*(grid.column_step / across), *(grid.row_step / down)])
    dataset.PixelSpacing = decimals([down, across])
    between = grid.origins[1] - grid.origins[0]
    dataset.SliceThickness = decimals([float(np.sqrt(between @ between))])[0]
    if grid.row_step[1] and grid.row_step[2]:
        dataset.GantryDetectorTilt = decimals([TILT_DEGREES])[0]


def decimals(numbers) -> list[str]:
    """DICOM decimal strings of at most four places, without a negative zero."""
    return [f"{round(float(number), 4) + 0.0:.4f}".rstrip("0").rstrip(".") for number in numbers]


def _gzipped(data: bytes) -> bytes:
    """Gzip whose header holds no name and no time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as file:
        file.write(data)
    return out.getvalue()
