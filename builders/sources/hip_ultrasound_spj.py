"""SPJ: infant hip ultrasound, a standard plane against five kinds of substandard ones.

The class is a folder with a sentence for a name, and the folders lie at two depths:

    SPJ_dataset/standard_ultrasound/standard_0.png
    SPJ_dataset/substandard_ultrasound/incomplete bony roof or poor display of the lower limb of the os ilium/substandard_0.png

README.md says 50 images; there are 51, since standard_0.png and standard_1.png are the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import folders
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Finding, Unit

LABELS = {
    "standard_ultrasound": Label("standard hip ultrasound plane"),
    "nonmiddle plane": Label("non-middle hip ultrasound plane"),
    "lack of a chondro-osseous border": Label("missing chondro-osseous border"),
    "poor labrum display": Label("poorly shown acetabular labrum"),
    "incomplete bony roof or poor display of the lower limb of the os ilium": Label("incomplete bony roof or lower ilium"),
    "poor display of the joint capsule and perichondrium synovial plica": Label("poorly shown joint capsule and synovial fold"),
}

FACTS = Facts(
    name="hip_ultrasound_spj",
    title="SPJ: standard planes of infant hip ultrasound",
    homepage="https://github.com/hidden-ops/NHBS-Net_SPJ_dataset",
    licence="Apache-2.0",
    licence_evidence="LICENSE of the repository: Apache License 2.0; nothing is said of the images apart from it.",
    rights=throughout(
        "Apache-2.0",
        Evidence(
            address="LICENSE",
            words="LICENSE is the text of Apache 2.0, without a name in its notice; README.md says nothing of terms.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{nhbsnet_spj,\n  title = {NHBS-Net SPJ dataset},\n"
    "  howpublished = {\\url{https://github.com/hidden-ops/NHBS-Net_SPJ_dataset}},\n"
    "  note = {Standard plane judgment in infant hip ultrasound}\n}",
    cite="https://github.com/hidden-ops/NHBS-Net_SPJ_dataset",
    access=Access.OPEN,
    triplet=Triplet("US", "hip", "standard-plane"),
    clinical_task="Image Quality Grading",
    department="Orthopedic Surgery",
    group_kind="image",
    closed_sets={"planes": tuple(LABELS)},
    oddities=(
        "README.md says 50 cases, 25 of each; there are 51 files, since standard_0.png and standard_1.png are identical.",
        "No patient ids; the owners call each image a case.",
        "Each substandard image is in one category of the owners; another defect may be visible too.",
        "Screens may carry text.",
    ),
    images_stated=50,
)


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per image: the folder that holds it is the class."""
    for path, word in folders.classes(raw, "**/SPJ_dataset/**/*.png", -1):
        yield Unit(files=(path,), reader="raster", findings=(Finding(word),))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/SPJ_dataset/standard_ultrasound/*.png", what="standard planes"),
                Expect(pattern="**/SPJ_dataset/substandard_ultrasound/*/*.png", what="substandard planes in five folders"),
            ),
        ),
    ),
)
