"""CHASE_DB1: 28 fundus photographs, both eyes of 14 children, with the vessels drawn by two observers.

    Image_01L.jpg, Image_01L_1stHO.png, Image_01L_2ndHO.png

Child and eye stand in the file name alone: 01L and 01R are one child, and no split may part them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.errors import Issue
from ...schema.labels import Label
from ...schema.triplet import Triplet
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import MaskImage, Unit

FACTS = Facts(
    name="chase_db1",
    title="CHASE_DB1: retinal vessels of children",
    homepage="https://blogs.kingston.ac.uk/retinal/chasedb1/",
    licence="CC-BY-4.0",
    licence_evidence="Dataset record of Kingston University: CC BY 4.0. The files themselves come without a licence; a "
    "repository that hosts them states Apache-2.0 for itself.",
    citation="@article{fraz2012ensemble,\n"
    "  title = {An Ensemble Classification-Based Approach Applied to Retinal Blood Vessel Segmentation},\n"
    "  author = {Fraz, Muhammad Moazam and Remagnino, Paolo and Hoppe, Andreas and Uyyanonvara, Bunyarit and\n"
    "            Rudnicka, Alicja R. and Owen, Christopher G. and Barman, Sarah A.},\n"
    "  journal = {IEEE Transactions on Biomedical Engineering},\n  volume = {59},\n  number = {9},\n"
    "  pages = {2538--2548},\n  year = {2012},\n  doi = {10.1109/TBME.2012.2205687}\n}",
    cite="doi:10.1109/TBME.2012.2205687",
    access=Access.OPEN,
    triplet=Triplet("FP", "fundus", "vessel-segmentation"),
    clinical_task="Blood Vessels Recognition",
    department="Ophthalmology",
    group_kind="patient",
    oddities=(
        "The child and the eye are known from the file name alone.",
        "Two observers drew every image; their masks overlap and differ, and none is declared the truth.",
        "Subjects are children; their ages aren't given with the images.",
    ),
    images_stated=28,
)

LABELS = {
    "vessels of the left eye": Label("retinal vessels", laterality="left"),
    "vessels of the right eye": Label("retinal vessels", laterality="right"),
}

NAME = re.compile(r"Image_(?P<child>\d+)(?P<eye>[LR])")
EYES = {"L": "left", "R": "right"}
OBSERVERS = {"1stHO": "first observer", "2ndHO": "second observer"}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per photograph, with a mask of each observer; the group is the child."""
    for image in raw.glob("**/Image_*[LR].jpg"):
        name = NAME.fullmatch(PurePosixPath(image).stem)
        if name is None:
            found = "a name without child and eye"
            raw.report(Issue("bad-name", image, found, "Image_<number><L or R>.jpg", "it was left out"))
            continue
        label = f"vessels of the {EYES[name['eye']]} eye"
        targets = tuple(_masks(raw, image.removesuffix(".jpg"), label))
        yield Unit(files=(image,), reader="raster", group=name["child"], targets=targets)


def _masks(raw: Raw, stem: str, label: str) -> Iterator[MaskImage]:
    for suffix, observer in OBSERVERS.items():
        path = f"{stem}_{suffix}.png"
        if raw.has(path):
            yield MaskImage(path=path, label=label, observer=observer)
        else:
            raw.report(Issue("missing-label", path, "no such mask", "one per observer", "the image stands without it"))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the owner's archive",
            expects=(
                Expect(pattern="**/Image_*[LR].jpg", what="fundus photographs"),
                Expect(pattern="**/Image_*_1stHO.png", what="masks of the first observer"),
                Expect(pattern="**/Image_*_2ndHO.png", what="masks of the second observer"),
            ),
        ),
    ),
)
