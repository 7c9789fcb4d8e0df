"""Chula RBC-12: red-cell morphology in 738 blood smears, a point and a type of 13 per cell.

    Label/1.txt:  594 95 0          x, y, number of the type in README.md

115 smears of the origin have no label file, one label file is empty, and two files called .jpg are PNG. The folder
"RBC Diseases" holds smears by disease, without cells.
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
from ..unit import Finding, LabelFile, Unit

TYPES = (
    "normal cell",
    "macrocyte",
    "microcyte",
    "spherocyte",
    "target cell",
    "stomatocyte",
    "ovalocyte",
    "teardrop",
    "burr cell",
    "schistocyte",
    "uncategorised",
    "hypochromia",
    "elliptocyte",
)
DISEASES = ("HE", "HS", "Iron deficiency anemia", "Megaloblastic anemia", "Thalassemia")

FACTS = Facts(
    name="chula_rbc12",
    title="Chula RBC-12: red blood cell types in blood smears",
    homepage="https://github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset",
    licence="MIT",
    licence_evidence="LICENSE of the repository: MIT, copyright 2021 Chula PIC Lab.",
    rights=throughout(
        "MIT",
        Evidence(
            address="LICENSE",
            words="LICENSE is the MIT text, copyright 2021 Chula PIC Lab, whose own smears these are; README.md says "
            "nothing else.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{naruenatthanaset2021red,\n"
    "  title = {Red Blood Cell Segmentation with Overlapping Cell Separation and Classification on Imbalanced Dataset},\n"
    "  author = {Naruenatthanaset, Korranat and Chalidabhongse, Thanarat H. and Palasuwan, Duangdao and\n"
    "            Anantrasirichai, Nantheera and Palasuwan, Attakorn},\n"
    "  year = {2021},\n  eprint = {2012.01321},\n  archivePrefix = {arXiv},\n  primaryClass = {eess.IV}\n}",
    cite="arXiv:2012.01321",
    access=Access.OPEN,
    triplet=Triplet("Mic", "blood", "red-cell-morphology"),
    clinical_task="Cell Recognition",
    department="Hematology",
    group_kind="image",
    closed_sets={"diseases": DISEASES},
    oddities=(
        "No patient ids: smears of one patient may stand in several splits.",
        "Points, not boxes: a point marks a cell, and nothing tells its size.",
        "Not every cell is marked: most cells of some smears (178.jpg, 249.jpg) have no point, so that no type is ever "
        "counted as absent. Type 10 is for cells that the owners couldn't categorize.",
        "In the origin 115 of 738 images have no label file; README.md speaks of 706 smears in one place, of 738 in another.",
        "714.jpg and 726.jpg are PNG files; one label file is empty.",
        "Smears of RBC Diseases/ carry only the disease of the patient; HE and HS are read as the hereditary forms.",
    ),
    images_stated=738,
)

LABELS = {
    "normal cell": Label("normal red blood cell"),
    "macrocyte": Label("macrocyte"),
    "microcyte": Label("microcyte"),
    "spherocyte": Label("spherocyte"),
    "target cell": Label("target cell"),
    "stomatocyte": Label("stomatocyte"),
    "ovalocyte": Label("ovalocyte"),
    "teardrop": Label("teardrop cell"),
    "burr cell": Label("burr cell"),
    "schistocyte": Label("schistocyte"),
    "uncategorised": Label("uncategorized red blood cell"),
    "hypochromia": Label("hypochromic red blood cell"),
    "elliptocyte": Label("elliptocyte"),
    "HE": Label("hereditary elliptocytosis", task="disease-classification"),
    "HS": Label("hereditary spherocytosis", task="disease-classification"),
    "Iron deficiency anemia": Label("iron-deficiency anemia", task="disease-classification"),
    "Megaloblastic anemia": Label("megaloblastic anemia", task="disease-classification"),
    "Thalassemia": Label("thalassemia", task="disease-classification"),
}

SMEARS = ("**/Dataset/*.jpg",)
DISEASE_SMEARS = ("**/RBC Diseases/*/*.JPG", "**/RBC Diseases/*/*.jpg")


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per smear: with its points where a label file stands, with its disease where a folder names one."""
    labels = set(raw.glob("**/Label/*.txt"))
    for path in raw.glob(*SMEARS, *DISEASE_SMEARS):
        folder = PurePosixPath(path).parent
        if folder.parent.name == "RBC Diseases":
            yield Unit(files=(path,), reader="raster", findings=(Finding(folder.name),), closed_sets=("diseases",))
            continue
        label = f"{folder.parent / 'Label' / PurePosixPath(path).stem}.txt"
        yield _smear(raw, path, label if label in labels else None)
        labels.discard(label)
    for label in sorted(labels):
        raw.report(Issue("no-image", label, "no image of its name", "an image per label file", "it was left out"))


def _smear(raw: Raw, path: str, label: str | None) -> Unit:
    if label is None:
        step = "the image stands without labels"
        raw.report(Issue("missing-label", path, "no file of its name in Label/", "one per image", step, Severity.INFO))
        return Unit(files=(path,), reader="raster")
    target = LabelFile(path=label, format="points", names={str(number): name for number, name in enumerate(TYPES)})
    return Unit(files=(path,), reader="raster", targets=(target,), closed_sets=())


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/Dataset/*.jpg", what="smears of Dataset/"),
                Expect(pattern="**/Label/*.txt", what="lists of points of Label/"),
            ),
        ),
    ),
)
