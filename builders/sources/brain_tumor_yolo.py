"""Brain tumour detection: 3064 contrast-enhanced T1 slices of 233 patients, with one box per tumour.

Image and label lie side by side, in a folder that repeats the number of the class:

    dataset-brain-tumor/categorized/0/1004.txt:  0 0.49 0.41 0.09 0.08

Shares are rounded to two digits, which moves an edge by up to 4 px of 512.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.errors import Issue, Severity
from ...schema.labels import Label
from ...schema.rights import Evidence, Right, Subject
from ...schema.triplet import Triplet
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import LabelFile, Unit

CLASSES = {"0": "pituitary tumor", "1": "meningioma", "2": "glioma"}

IMAGES = Right(
    licence="CC-BY-4.0",
    evidence=Evidence(
        address="https://doi.org/10.6084/m9.figshare.1512427",
        words="Public listings of the figshare set say CC BY 4.0. The download names the set and its address, but no terms.",
    ),
)
BOXES = Right(
    licence="unstated",
    evidence=Evidence(
        address="dataset-brain-tumor/categorized/README.txt",
        words="README.txt explains the label files and states no terms. The repository that hosts them states GPL-3.0, "
        "which is meant for its code.",
        read_on="2026-11-21",
    ),
)

FACTS = Facts(
    name="brain_tumor_yolo",
    title="Brain tumor boxes on contrast-enhanced T1 slices (Cheng et al., as YOLO labels)",
    homepage="https://github.com/nanonane/RCS-YOLO",
    licence="CC-BY-4.0",
    licence_evidence="Images: Cheng et al., figshare 1512427, CC BY 4.0 in public listings of that set. The repository that "
    "hosts the boxes states GPL-3.0, which is meant for its code; whether it covers the label files isn't said.",
    rights={Subject.PIXELS: IMAGES, Subject.ANNOTATIONS: BOXES, Subject.DERIVED_TEXT: BOXES},
    citation="@misc{cheng2017brain,\n  title = {brain tumor dataset},\n  author = {Cheng, Jun},\n  year = {2017},\n"
    "  publisher = {figshare},\n  doi = {10.6084/m9.figshare.1512427},\n"
    "  note = {Boxes as YOLO labels: \\url{https://github.com/nanonane/RCS-YOLO}}\n}",
    cite="doi:10.6084/m9.figshare.1512427",
    access=Access.OPEN,
    triplet=Triplet("MRI", "brain", "brain-tumour-detection"),
    clinical_task="Disease Diagnosis",
    department="Neurosurgery",
    group_kind="image",
    closed_sets={"brain tumors": tuple(CLASSES.values())},
    oddities=(
        "Patient ids aren't given here, and consecutive numbers are often one patient: splits are by image and may leak. "
        "The figshare original names the 233 patients.",
        "Coordinates are rounded to two digits: an edge may be off by 4 px of 512.",
        "The origin also holds slices without tumour from Br35H under other terms; they are no part of this source.",
        "Some slices may also stand in brain_tumor_mri.",
    ),
    images_stated=3064,
)

LABELS = {
    "pituitary tumor": Label("pituitary tumor"),
    "meningioma": Label("meningioma"),
    "glioma": Label("glioma"),
}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per slice, with the label file beside it."""
    for image in raw.glob("**/categorized/[012]/*.jpg"):
        label = str(PurePosixPath(image).with_suffix(".txt"))
        targets = (LabelFile(path=label, format="yolo", names=CLASSES),) if raw.has(label) else ()
        if not targets:
            step = "the image stands without labels"
            raw.report(Issue("missing-label", image, "no text file beside it", "one per image", step, Severity.INFO))
        yield Unit(files=(image,), reader="raster", modality_detail="T1ce", targets=targets)


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                *(Expect(pattern=f"**/categorized/{n}/*.jpg", what=f"slices with {word}") for n, word in CLASSES.items()),
                *(Expect(pattern=f"**/categorized/{n}/*.txt", what=f"boxes of {word}") for n, word in CLASSES.items()),
            ),
        ),
    ),
)
