"""dcmqi: CT slices with SEG objects in all their kinds, and an apparent diffusion coefficient map of the prostate.

    data/segmentations/liver.dcm               on ct-3slice/, a frame per slice, one segment "Liver"
    data/segmentations/partial_overlaps.dcm    on ct-3slice/, five scribbles that overlap, on one or three slices each
    data/segmentations/24x38x3/seg/label.seg   on 24x38x3/image/, whose pixels are the mask itself: 0 and 1
    data/paramaps/pm-example-dcm.zip           twenty slices; pm-example-slice.dcm repeats the first

The NRRD files repeat the SEGs, or were drawn on ct-3slice/ for SEGs that aren't here: truth for tests, no part of the
source (heart_seg.nrrd covers the stomach).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Unit

FACTS = Facts(
    name="dcmqi_seg",
    title="dcmqi test data: DICOM segmentations with their CT slices",
    homepage="https://github.com/QIICR/dcmqi",
    licence="BSD-3-Clause",
    licence_evidence="LICENSE.txt of the repository: BSD 3-Clause, copyright 2017 Brigham and Women's Hospital. The slices of "
    "QIN-PROSTATE and the objects of QIN-HEADNECK come from public research collections with terms of their own.",
    rights=throughout(
        "BSD-3-Clause",
        Evidence(
            address="LICENSE.txt",
            words="LICENSE.txt is the BSD 3-Clause text and speaks of software; of the images and objects of research "
            "collections, which have terms of their own, it says nothing.",
            read_on="2026-11-21",
        ),
    ),
    citation="@article{herz2017dcmqi,\n"
    "  title = {dcmqi: An Open Source Library for Standardized Communication of Quantitative Image Analysis Results Using\n"
    "           DICOM},\n"
    '  author = {Herz, Christian and Fillion-Robin, Jean-Christophe and Onken, Michael and Riesmeier, J{\\"o}rg and\n'
    "            Lasso, Andras and Pinter, Csaba and Fichtinger, Gabor and Pieper, Steve and Clunie, David and\n"
    "            Kikinis, Ron and Fedorov, Andriy},\n"
    "  journal = {Cancer Research},\n  volume = {77},\n  number = {21},\n  pages = {e87--e90},\n  year = {2017},\n"
    "  doi = {10.1158/0008-5472.CAN-17-0336}\n}",
    cite="doi:10.1158/0008-5472.CAN-17-0336",
    access=Access.OPEN,
    triplet=Triplet("CT", "liver", "liver-segmentation"),
    clinical_task="None",
    department="None",
    group_kind="patient",
    oddities=(
        "The series 23x38x3 and 24x38x3 are drawn: their pixels are a liver mask of 0 and 1, not Hounsfield units. Each comes "
        "as three files and once more as one multi-frame object, to which no segmentation refers.",
        "The two label map SEGs are about two of three slices and share a UID; they differ in padding alone, and the first "
        "is read.",
        "partial_overlaps.dcm is a scribble for tests: the tissues in its codes (artery, capillary, edema, vein) aren't there.",
        "The SEG, the structured report and the value map of sr-example refer to a PET series that isn't here.",
        "Patient ids are those of public research collections.",
    ),
)

# The study is of tumors of the pharynx: its department goes before oncology.
_TUMOUR = ("Otolaryngology (ENT)/Head and Neck Surgery", "Oncology (Medical)")
LABELS = {
    "Liver": Label("liver"),
    "GREEN": Label("green scribble", area="abdomen", task="other"),
    "ORANGE": Label("orange scribble", area="abdomen", task="other"),
    "PURPLE": Label("purple scribble", area="abdomen", task="other"),
    "LIGHT_BLUE": Label("light blue scribble", area="abdomen", task="other"),
    "DARK_BLUE": Label("dark blue scribble", area="abdomen", task="other"),
    "Neoplasm, Primary": Label("primary tumor", area="pharynx", task="tumour-segmentation", departments=_TUMOUR),
}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per series, with the SEGs that were drawn on it."""
    for unit in dicom_units.units(raw, "**/data/**/*.dcm", "**/data/**/*.seg"):
        if "/paramaps/" in unit.files[0]:
            yield replace(unit, triplet=Triplet("MRI", "prostate", "unlabelled"), modality_detail="ADC")
        elif "x38x3/" in unit.files[0]:
            task = "liver-segmentation" if unit.targets else "unlabelled"
            yield replace(unit, triplet=Triplet("CT", "phantom", task))
        else:
            yield unit


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/data/segmentations/ct-3slice/*.dcm", what="CT slices", at_least=3),
                Expect(pattern="**/data/segmentations/*.dcm", what="segmentations of these slices"),
                Expect(pattern="**/data/segmentations/*x38x3/seg/*.seg", what="segmentations of small volumes"),
            ),
        ),
    ),
)
