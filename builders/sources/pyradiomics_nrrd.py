"""PyRadiomics' test volumes: two brains, a breast and a prostate phantom as NRRD, each with a label volume.

    data/brain1_image.nrrd, data/brain1_label.nrrd                                   values 0, 1
    data/prostate_phantom_subvolume.nrrd, data/prostate_phantom_subvolume-label.nrrd values 0, 1, 7, 8, 9

Two schemes of names, and no file says what a value stands for.
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
from ..unit import LabelMap, Unit

FACTS = Facts(
    name="pyradiomics_nrrd",
    title="PyRadiomics test volumes: brain, breast, prostate phantom",
    homepage="https://github.com/AIM-Harvard/pyradiomics",
    licence="BSD-3-Clause",
    licence_evidence="LICENSE.txt of the repository: BSD 3-Clause; the data folder has no terms of its own, nor does it say "
    "where the volumes come from.",
    rights=throughout(
        "BSD-3-Clause",
        Evidence(
            address="LICENSE.txt",
            words="LICENSE.txt is the BSD 3-Clause text and speaks of software; where the volumes come from isn't said.",
            read_on="2026-11-21",
        ),
    ),
    citation="@article{vangriethuysen2017computational,\n"
    "  title = {Computational Radiomics System to Decode the Radiographic Phenotype},\n"
    "  author = {van Griethuysen, Joost J. M. and Fedorov, Andriy and Parmar, Chintan and Hosny, Ahmed and Aucoin, Nicole and\n"
    "            Narayan, Vivek and Beets-Tan, Regina G. H. and Fillion-Robin, Jean-Christophe and Pieper, Steve and\n"
    "            Aerts, Hugo J. W. L.},\n"
    "  journal = {Cancer Research},\n  volume = {77},\n  number = {21},\n  pages = {e104--e107},\n  year = {2017},\n"
    "  doi = {10.1158/0008-5472.CAN-17-0339}\n}",
    cite="doi:10.1158/0008-5472.CAN-17-0339",
    access=Access.OPEN,
    triplet=Triplet("MRI", "brain", "lesion-segmentation"),
    clinical_task="Disease Diagnosis",
    department="Oncology (Medical)",
    group_kind="volume",
    oddities=(
        "No file names the labels. In the brains and the breast value 1 covers one bright region, here called a lesion by its "
        "appearance; in the phantom values 1, 7, 8 and 9 have no meaning that anyone states, and give no label.",
        "The breast and the phantom are small crops.",
        "No patient ids and no sequence names; the lung volumes of the origin are CT and aren't read here.",
    ),
)

LABELS = {
    "brain 1": Label("brain lesion"),
    "breast 1": Label("breast lesion"),
    "phantom 1": None,
    "phantom 7": None,
    "phantom 8": None,
    "phantom 9": None,
}

SUBJECTS = {
    "brain": (Triplet("MRI", "brain", "lesion-segmentation"), {1: "brain 1"}),
    "breast": (Triplet("MRI", "breast", "lesion-segmentation"), {1: "breast 1"}),
    "prostate_phantom": (Triplet("MRI", "phantom", "unlabelled"), {n: f"phantom {n}" for n in (1, 7, 8, 9)}),
}
"""Beginning of the name → triplet, and raw word of each value of the label volume."""

PATTERNS = ("**/data/brain*.nrrd", "**/data/breast*.nrrd", "**/data/prostate_phantom*.nrrd")


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per image; its label volume is called `_label` for `_image`, or has `-label` behind the name."""
    files = raw.glob(*PATTERNS)
    labels = {path for path in files if path.endswith(("_label.nrrd", "-label.nrrd"))}
    for path in [path for path in files if path not in labels]:
        name = PurePosixPath(path).name
        triplet, values = next(found for prefix, found in SUBJECTS.items() if name.startswith(prefix))
        stem = path.removesuffix(".nrrd")
        label = next((one for one in (stem.replace("_image", "_label"), f"{stem}-label") if f"{one}.nrrd" in labels), None)
        if label is None:
            step = "the volume stands without labels"
            raw.report(Issue("missing-label", path, "no label volume", "one per image", step, Severity.WARNING))
        targets = (LabelMap(path=f"{label}.nrrd", values=values),) if label else ()
        labels.discard(f"{label}.nrrd")
        yield Unit(files=(path,), reader="volume", triplet=triplet, targets=targets)
    for path in sorted(labels):
        raw.report(Issue("no-image", path, "no image of its name", "an image per label volume", "it was left out"))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/data/*_image.nrrd", what="images of brain and breast"),
                Expect(pattern="**/data/*_label.nrrd", what="their label volumes"),
            ),
        ),
    ),
)
