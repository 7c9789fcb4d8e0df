"""Three crops of OpenSlide's test slides as OME-TIFF, without any label.

    images/OS-1-detail.ome.tif     1101×1101 px of OS-1.ndpi, H&E, 0.227 µm per px

JPEG with subsampled chroma inside TIFF: Pillow can't decode it. OS-2-ndpi and OS-2-vsi are two scans named after one slide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.rights import Evidence, throughout
from ...schema.sample import Acquisition
from ...schema.triplet import Triplet
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Unit

FACTS = Facts(
    name="openslide_ometiff",
    title="Crops of OpenSlide's freely distributable test slides",
    homepage="https://github.com/petebankhead/2022-qupath-cell-detection",
    licence="LicenseRef-OpenSlide-free-to-use-and-distribute",
    licence_evidence="images/README.md, quoting OpenSlide's test data: `free to use and distribute, with or without "
    "modification`. No licence of that name has a text.",
    rights=throughout(
        "LicenseRef-OpenSlide-free-to-use-and-distribute",
        Evidence(
            address="images/README.md",
            words="README.md, quoting OpenSlide: 'free to use and distribute, with or without modification'. It asks to "
            "name OpenSlide as the origin, and asks no credit for the crops.",
            read_on="2026-11-21",
        ),
        allowed=True,
    ),
    citation="@misc{openslide_testdata,\n  title = {OpenSlide freely-distributable test data},\n  author = {{OpenSlide}},\n"
    "  howpublished = {\\url{https://openslide.cs.cmu.edu/download/openslide-testdata/}},\n"
    "  note = {Crops: \\url{https://github.com/petebankhead/2022-qupath-cell-detection}}\n}",
    cite="https://openslide.cs.cmu.edu/download/openslide-testdata/",
    access=Access.OPEN,
    triplet=Triplet("Mic", "tissue", "unlabelled"),
    clinical_task="None",
    department="Laboratory Medicine and Pathology",
    group_kind="slide",
    oddities=(
        "No labels; the tissue isn't named.",
        "The stain is known from images/README.md alone: OS-1 H&E, OS-2 Ki67.",
        "OS-2-ndpi and OS-2-vsi bear the number of one slide, scanned twice, and stay in one group.",
    ),
    images_stated=3,
)

STAINS = {"OS-1": "H&E", "OS-2": "Ki67"}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per crop; the group is the slide."""
    for path in raw.glob("**/*.ome.tif", "**/*.ome.tiff"):
        name = PurePosixPath(path).name
        slide = re.match(r"OS-\d+", name)
        yield Unit(
            files=(path,),
            reader="tiff",
            group=slide[0] if slide else name,
            modality_detail="Histopathology",
            acquisition=Acquisition(stain=STAINS.get(slide[0]) if slide else None),
        )


SOURCE = Source(
    facts=FACTS,
    labels={},
    read=read,
    layouts=(Layout(name="the repository", expects=(Expect(pattern="**/*.ome.tif", what="crops of slides"),)),),
)
