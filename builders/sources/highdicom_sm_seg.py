"""highdicom: the small test objects of a library, slides of 50 by 50 px, a CT and a radiograph with and without SEG.

    seg_image_sm_control.dcm: a frame at row 41, column 1 of the slide, drawn on frame 5 of it, which lies at row 1, column 41

The SEGs of the slides can't be placed: rows and columns of their tiles are swapped against the frames that they name, the
slide that they name stands in two files under one UID, and the dots of seg_image_sm_dots are those of no slide here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from ...schema.errors import Issue
from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import BONE, Access, Expect, Facts, Layout, Source
from ..unit import Unit

FACTS = Facts(
    name="highdicom_sm_seg",
    title="highdicom test files: slides, CT and radiograph with segmentations",
    homepage="https://github.com/ImagingDataCommons/highdicom",
    licence="MIT",
    licence_evidence="LICENSE of the repository: MIT, copyright 2020 MGH Computational Pathology. Where the slide, the CT and "
    "the radiograph come from isn't said.",
    rights=throughout(
        "MIT",
        Evidence(
            address="LICENSE",
            words="LICENSE is the MIT text, copyright 2020 MGH Computational Pathology; it speaks of software and "
            "documentation, and README.md doesn't say where the pictures come from.",
            read_on="2026-11-21",
        ),
    ),
    citation="@article{bridge2022highdicom,\n"
    "  title = {Highdicom: a Python Library for Standardized Encoding of Image Annotations and Machine Learning Model\n"
    "           Outputs in Pathology and Radiology},\n"
    "  author = {Bridge, Christopher P. and Gorman, Chris and Pieper, Steven and Doyle, Sean W. and Lennerz, Jochen K. and\n"
    "            Kalpathy-Cramer, Jayashree and Clunie, David A. and Fedorov, Andriy Y. and Herrmann, Markus D.},\n"
    "  journal = {Journal of Digital Imaging},\n  year = {2022},\n  doi = {10.1007/s10278-022-00683-y}\n}",
    cite="doi:10.1007/s10278-022-00683-y",
    access=Access.OPEN,
    triplet=Triplet("Mic", "phantom", "unlabelled"),
    clinical_task="None",
    department="None",
    group_kind="patient",
    collection="dicom_test_files",
    oddities=(
        "Most slides are drawn: dots, numerals or a grey ramp, once on the header of sm_image.dcm, whose UID "
        "sm_image_control.dcm repeats. The real ones are nearly white, and equal pixel for pixel.",
        "The SEGs of slides contradict themselves about the place of their tiles and are left out; four SEGs of CT and one "
        "of a radiograph refer to images that aren't here.",
        "dx_image.dcm shows the chest of a dog; age and sex are the dog's.",
        "ct_image.dcm is the slice that pydicom_data holds as JLSL_*_1F and in parametric maps: both sources split alike. "
        "Its one segment is what a threshold took for bone.",
        "Structured reports and slide annotations aren't read.",
    ),
)

LABELS = {
    # The word says nothing; what the owners' code for the CT segment means does.
    "first segment": Label("bone", task="tissue-segmentation"),
    "second segment": Label("spine", area="spine", task="organ-segmentation"),
}

TRIPLETS = {
    "ct_image": Triplet("CT", "spine", "unlabelled"),
    "dx_image": Triplet("X-ray", "chest", "unlabelled"),
    "sm_image": Triplet("Mic", "tissue", "unlabelled"),
    "sm_image_jpegls": Triplet("Mic", "tissue", "unlabelled"),
    "sm_image_jpegls_nobot": Triplet("Mic", "tissue", "unlabelled"),
}
"""Stem of the file → what it shows, where it isn't drawn."""


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per image; the slides stand without their segmentations."""
    told: set[str] = set()
    for unit in dicom_units.units(raw, "**/test_files/*.dcm"):
        stem = PurePosixPath(unit.files[0]).stem
        window = (BONE.name, BONE.low, BONE.high) if stem == "ct_image" else None
        unit = replace(unit, triplet=TRIPLETS.get(stem), window=window)
        if stem.startswith("sm_"):
            _leave_out(raw, unit, told)
            unit = replace(unit, targets=())
        yield unit


def _leave_out(raw: Raw, slide: Unit, told: set[str]) -> None:
    """Report the segmentations of slides, once each."""
    for path in [path for path in slide.paths() if path not in slide.files and path not in told]:
        told.add(path)
        found, expected = "tiles that lie off the frames that they name", "tiles on what they mark"
        raw.report(Issue("position-differs", path, found, expected, "it was left out"))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/test_files/sm_image*.dcm", what="slides of data/test_files/"),
                Expect(pattern="**/test_files/seg_image_*.dcm", what="segmentations of data/test_files/"),
            ),
        ),
    ),
)
