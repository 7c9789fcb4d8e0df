"""BCCD: 364 stained blood smears with boxes for red cells, white cells and platelets.

One file of Annotations/, where a slip of the mouse left a box without width or height in BloodImage_00338.xml:

    <object><name>RBC</name><difficult>0</difficult>
    <bndbox><xmin>504</xmin><ymin>337</ymin><xmax>504</xmax><ymax>337</ymax></bndbox></object>
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.errors import Issue, Severity
from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import LabelFile, Unit

FACTS = Facts(
    name="bccd",
    title="Blood Cell Count and Detection (BCCD)",
    homepage="https://github.com/Shenggan/BCCD_Dataset",
    licence="MIT",
    licence_evidence="LICENSE of the repository: MIT, copyright 2017 shenggan. The images were first published by cosmicad "
    "and annotated by akshaylamba, whose terms the repository doesn't quote.",
    rights=throughout(
        "MIT",
        Evidence(
            address="LICENSE, README.md",
            words="LICENSE is the MIT text, README.md: 'BCCD Dataset is under MIT licence'. It thanks cosmicad and "
            "akshaylamba for pictures and boxes, whose own terms it doesn't quote.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{bccd,\n  author = {Shenggan},\n  title = {BCCD Dataset},\n  year = {2017},\n"
    "  howpublished = {\\url{https://github.com/Shenggan/BCCD_Dataset}},\n"
    "  note = {Images and annotations by cosmicad and akshaylamba}\n}",
    cite="https://github.com/Shenggan/BCCD_Dataset",
    access=Access.OPEN,
    triplet=Triplet("Mic", "blood", "cell-detection"),
    clinical_task="Cell Recognition",
    department="Hematology",
    group_kind="image",
    oddities=(
        "Not every cell has a box: 15 smears full of red cells have none for them, white cells stand unmarked at the edge "
        "(BloodImage_00178, BloodImage_00228) or are called platelets (BloodImage_00133, BloodImage_00135), and clumps of "
        "platelets are passed over (BloodImage_00378). So no label is ever counted as absent.",
        "No patient or smear ids: images of one smear may stand in several splits.",
        "Two boxes (BloodImage_00338, BloodImage_00343) have neither width nor height.",
        "Corners are read as a drawing tool writes them: counted from 0, the second one not included.",
        "The path in each XML file is another machine's; test.csv repeats the boxes in the order xmin, xmax, ymin, ymax.",
    ),
    images_stated=364,
)

LABELS = {
    "RBC": Label("red blood cell"),
    "WBC": Label("white blood cell"),
    "Platelets": Label("platelet"),
}

SPLITS = {"train": "train", "val": "validation", "test": "test"}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per image, with its boxes and the owner's split."""
    images = raw.glob("**/JPEGImages/*.jpg")
    splits = _splits(raw, {PurePosixPath(image).stem for image in images})
    for image in images:
        stem = PurePosixPath(image).stem
        label = f"{PurePosixPath(image).parent.parent / 'Annotations' / stem}.xml"
        target = LabelFile(path=label, format="voc", options={"one_based": False, "inclusive": False})
        yield Unit(files=(image,), reader="raster", split=splits.get(stem), targets=(target,))


def _splits(raw: Raw, stems: set[str]) -> dict[str, str]:
    """Image stem → split; a name in a list without an image is an issue."""
    found: dict[str, str] = {}
    for path in raw.glob("**/ImageSets/Main/*.txt"):
        split = SPLITS.get(PurePosixPath(path).stem)
        if split is None:
            continue
        for stem in raw.text(path).split():
            found[stem] = split
            if stem not in stems:
                expected = f"JPEGImages/{stem}.jpg"
                raw.report(Issue("missing-file", path, f"no image {stem}", expected, "it was passed over", Severity.INFO))
    return found


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/JPEGImages/*.jpg", what="images of BCCD/JPEGImages/"),
                Expect(pattern="**/Annotations/*.xml", what="Pascal VOC files of BCCD/Annotations/"),
                Expect(pattern="**/ImageSets/Main/*.txt", what="lists of the owner's splits", at_least=3),
            ),
        ),
    ),
)
