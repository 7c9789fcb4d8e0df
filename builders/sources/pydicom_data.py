"""pydicom-data: the larger test files of pydicom, each an odd case of the standard.

    OT-PAL-8-face.dcm                            states no transfer syntax
    emri_small_jpeg_2k_lossless_too_short.dcm    ends before its data set begins to say anything
    SC_rgb*.dcm                                  one picture in ten encodings, most under one UID

An image-only source: its SEG objects are nine encodings of one liver mask, whose CT slices are in dcmqi_seg. Parametric
maps are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TypeVar

from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Unit

T = TypeVar("T")

FACTS = Facts(
    name="pydicom_data",
    title="pydicom-data: test files of pydicom",
    homepage="https://github.com/pydicom/pydicom-data",
    licence="MIT",
    licence_evidence="LICENSE of the repository: MIT, copyright 2020 Dicom in Python. The files were gathered from public "
    "collections and vendors' samples over many years, whose own terms it doesn't quote.",
    rights=throughout(
        "MIT",
        Evidence(
            address="LICENSE",
            words="LICENSE is the MIT text, copyright 2020 Dicom in Python; vendors' samples and public collections are "
            "among the files, and their terms aren't quoted.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{pydicomdata,\n  author = {{pydicom contributors}},\n  title = {pydicom-data: test files for pydicom},\n"
    "  year = {2020},\n  howpublished = {\\url{https://github.com/pydicom/pydicom-data}}\n}",
    cite="https://github.com/pydicom/pydicom-data",
    access=Access.OPEN,
    triplet=Triplet("unspecified", "unspecified", "unlabelled"),
    clinical_task="None",
    department="None",
    group_kind="patient",
    collection="dicom_test_files",
    oddities=(
        "Not only medical images: OT-PAL-8-face.dcm is a photograph of a person's face, HTJ2K*.dcm show a sailing boat, "
        "JLSL_RGB_* and JLSN_RGB_* a house, print and noise, SC_rgb* colour bars, mlut_18 and vlut_04 a test chart.",
        "Eight files state no modality, and those with no patient or study either are grouped by what they show: JLSL_08_* "
        "and JLSL_16_* are the CT slice of highdicom_sm_seg and of the parametric maps.",
        "Many files hold the same picture in another encoding; identical pixels stay in one split.",
        "Ultrasound pictures bear names of hospitals, times and numbers in their pixels.",
        "liver_deflate, liver_rle and their non-byte-aligned twins can't be decoded by the libraries of today; like all "
        "SEGs here they have no image.",
        "One file is cut off on purpose. Two files of the origin under non-commercial terms are no part of it here.",
    ),
)

LABELS = {
    "Liver": Label("liver", area="liver", task="liver-segmentation"),
}

AREAS = {
    "HTJ2K": "other",
    "JLSL_0": "spine",
    "JLSL_1": "spine",
    "JLSL_RGB": "other",
    "JLSN_RGB": "other",
    "JPEG-LL": "whole-body",
    "JPGLossless": "heart",
    "MR-SIEMENS": "abdomen",
    "MR2_": "shoulder",
    "OT-PAL-8-face": "face",
    "RG3_": "leg",
    "SC_": "phantom",
    "US1_": "lymph-nodes",
    "bad_sequence": "spine",
    "color-p": "heart",
    "emri_small": "head",
    "explicit_VR-UN": "abdomen",
    "gdcm-US-ALOKA": "pelvis",
    "mlut_": "phantom",
    "vlut_": "phantom",
}
"""Beginning of the file's name → what its header or its picture shows; the others are unspecified."""

GROUPS = {
    "HTJ2K": ("boat", "image"),
    "JLSL_0": ("1CT1", "patient"),
    "JLSL_1": ("1CT1", "patient"),
    "JLSL_RGB": ("patches", "image"),
    "JLSN_RGB": ("patches", "image"),
}
"""Beginning of the file's name → group and its kind, where the header has neither patient nor study; 1CT1 is what other
files call that patient."""


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per file: each is a case of its own, also where two state one series."""
    found = [(file, unit) for unit in dicom_units.units(raw, "**/data_store/data/*.dcm") for file in unit.files]
    for file, unit in sorted(found, key=lambda one: one[0]):
        name = PurePosixPath(file).name
        group, kind = (unit.group, unit.group_kind) if unit.group else _of(name, GROUPS) or ("", "image")
        area = _of(name, AREAS) or "unspecified"
        triplet = Triplet("unspecified", area, "unlabelled")
        yield replace(unit, files=(file,), group=group, group_kind=kind, triplet=triplet)


def _of(name: str, table: Mapping[str, T]) -> T | None:
    return next((entry for start, entry in table.items() if name.startswith(start)), None)


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(Expect(pattern="**/data_store/data/*.dcm", what="files of data_store/data/", at_least=2),),
        ),
    ),
)
