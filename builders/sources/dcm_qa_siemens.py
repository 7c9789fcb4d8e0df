"""dcm_qa: echo-planar time series of one head, seven acquisitions of two volumes each, as Siemens mosaics.

One file holds all slices of a volume in one frame of 6 by 6 tiles:

    In/Orientation/ax/axasc35/MR.1.3.12...: 384 by 384 px, 35 slices of 64 by 64, one tile empty

An image-only source. What stands behind the last dot of such a name is a part of a UID, no extension.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Unit

FACTS = Facts(
    name="dcm_qa_siemens",
    title="dcm_qa: Siemens mosaics that test DICOM conversion",
    homepage="https://github.com/neurolabusc/dcm_qa",
    licence="BSD-2-Clause",
    licence_evidence="LICENSE of the repository: BSD 2-Clause, copyright 2018 Chris Rorden and Michael Harms. README.md: "
    "software and images are open source, acquired by Chris Rorden, and the code is under that licence.",
    rights=throughout(
        "BSD-2-Clause",
        Evidence(
            address="LICENSE, README.md",
            words="README.md: 'This software and images are open source and were acquired by Chris Rorden'. The licence "
            "that it names, BSD 2-Clause, it names for the code; LICENSE makes no difference between them.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{rorden2017dcmqa,\n  author = {Rorden, Chris and Harms, Michael},\n"
    "  title = {dcm\\_qa: a simple DICOM to NIfTI validator and dataset},\n  year = {2017},\n"
    "  howpublished = {\\url{https://github.com/neurolabusc/dcm_qa}}\n}",
    cite="https://github.com/neurolabusc/dcm_qa",
    access=Access.OPEN,
    triplet=Triplet("MRI", "brain", "unlabelled"),
    clinical_task="None",
    department="None",
    group_kind="patient",
    oddities=(
        "No labels of any kind; one person, who was asked to turn the head while a volume was taken.",
        "The headers carry birth date, age and sex.",
        "Two volumes of a series share all positions, two series share a description; three series have 35 slices, four 36.",
        "The NIfTI files of Ref/ and the one beside a series repeat the DICOM pixels: they serve as truth for tests.",
        "Here only the axial part of the origin.",
    ),
)


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per acquisition, both volumes of it."""
    yield from dicom_units.units(raw, "**/In/**/MR.*", "**/In/**/*.dcm")


SOURCE = Source(
    facts=FACTS,
    labels={},
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(Expect(pattern="**/In/Orientation/ax/*/MR.*", what="mosaics of In/Orientation/ax/", at_least=2),),
        ),
    ),
)
