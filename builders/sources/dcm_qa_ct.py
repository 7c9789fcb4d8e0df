"""dcm_qa_ct: a head CT and slices of a head phantom, made to test how DICOM becomes NIfTI.

The GE series has a tilted gantry, and in the middle its step along the table jumps from 4.22 to 1.14 and then to 7.38 mm:

    In/GE/14.dcm  z 60.70      In/GE/15.dcm  z 61.84      In/GE/16.dcm  z 69.22

An image-only source. DICOMDIR and DIRFILE list files, most of which lie elsewhere; Ref/ holds what a converter should give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import BRAIN, Access, Expect, Facts, Layout, Reading, Source
from ..unit import Unit

FACTS = Facts(
    name="dcm_qa_ct",
    title="dcm_qa_ct: CT series that test DICOM conversion",
    homepage="https://github.com/neurolabusc/dcm_qa_ct",
    licence="BSD-2-Clause",
    licence_evidence="LICENSE of the repository: BSD 2-Clause, copyright 2019 Chris Rorden. README.md says that the GE series "
    "was provided by Aliza Medical Imaging and the Philips one by Paul Morgan; it quotes no terms of theirs.",
    rights=throughout(
        "BSD-2-Clause",
        Evidence(
            address="LICENSE, README.md",
            words="LICENSE is the BSD 2-Clause text. The series are 'courtesy of Paul Morgan' and 'provided by Aliza "
            "Medical Imaging' (README.md), whose own terms aren't quoted.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{rorden2019dcmqact,\n  author = {Rorden, Chris},\n"
    "  title = {dcm\\_qa\\_ct: a simple DICOM to NIfTI validator and dataset for computed tomography},\n  year = {2019},\n"
    "  howpublished = {\\url{https://github.com/neurolabusc/dcm_qa_ct}}\n}",
    cite="https://github.com/neurolabusc/dcm_qa_ct",
    access=Access.OPEN,
    triplet=Triplet("CT", "head", "unlabelled"),
    clinical_task="None",
    department="None",
    group_kind="patient",
    oddities=(
        "No labels of any kind; nothing says whether the human head is healthy.",
        "GE series: gantry tilt of 18.5 degrees and steps of 1.14 to 7.38 mm along the table, so that only the acquired "
        "slices are kept; values of -1500 HU without a padding tag.",
        "Philips series: a head phantom of plastic, one of them a localizer (a projection, no slice).",
        "DICOMDIR lists 433 images under another root; DIRFILE repeats parts of it. Neither is an image.",
        "The JSON files of Ref/ describe what a converter makes of the series; they are no part of the source.",
    ),
)


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per series; those of the Philips scanner show a phantom."""
    for unit in dicom_units.units(raw, "**/In/**/*", "**/DICOMDIR"):
        phantom = "/Philips/" in f"/{unit.files[0]}"
        yield replace(unit, triplet=Triplet("CT", "phantom", "unlabelled") if phantom else None)


SOURCE = Source(
    facts=FACTS,
    labels={},
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/In/GE/*.dcm", what="slices of the human head"),
                Expect(pattern="**/In/Philips/**/I*", what="slices of the phantom, without extension"),
            ),
        ),
    ),
    reading=Reading(window=BRAIN),
)
