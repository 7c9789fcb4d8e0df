"""Brain tumour classification: 3264 MR slices in folders of three tumours and none, split by the owners.

    Training/glioma_tumor/gg (1).jpg, Testing/no_tumor/image(1).jpg

Nobody knows the patients, four images stand byte for byte in both Training and Testing, and a fifth pair has the same
pixels in other bytes: the copies in Training are left out of the release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.labels import Label
from ...schema.triplet import Triplet
from ..formats import folders
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Finding, Unit

CLASSES = ("glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor")

FACTS = Facts(
    name="brain_tumor_mri",
    title="Brain Tumor Classification (MRI)",
    homepage="https://github.com/SartajBhuvaji/Brain-Tumor-Classification-DataSet",
    licence="MIT",
    licence_evidence="The repository has no licence file; the author's own dataset card for the same set states MIT. Where the "
    "slices come from isn't said, so the right to license them is unproven.",
    citation="@misc{bhuvaji2020brain,\n  title = {Brain Tumor Classification (MRI)},\n"
    "  author = {Bhuvaji, Sartaj and Kadam, Ankita and Bhumkar, Prajakta and Dedge, Sameer and Kanchan, Swati},\n"
    "  year = {2020},\n  publisher = {Kaggle},\n  doi = {10.34740/KAGGLE/DSV/1183165}\n}",
    cite="doi:10.34740/KAGGLE/DSV/1183165",
    access=Access.OPEN,
    triplet=Triplet("MRI", "brain", "brain-tumour-classification"),
    clinical_task="Disease Diagnosis",
    department="Neurosurgery",
    group_kind="image",
    closed_sets={"brain tumors": CLASSES},
    oddities=(
        "No patient ids: slices of one patient may stand in both Training and Testing.",
        "Four images stand byte for byte in both Training and Testing (no_tumor), a fifth pair has equal pixels "
        "(Testing/meningioma_tumor/image(58) and Training/meningioma_tumor/m1(168)): known leakage.",
        "Some slices may also stand in brain_tumor_yolo, which draws on the same kind of images.",
        "Grey slices stored as RGB JPEG in many sizes and planes; sequence and contrast aren't given.",
    ),
    images_stated=3264,
)

LABELS = {
    "glioma_tumor": Label("glioma"),
    "meningioma_tumor": Label("meningioma"),
    "no_tumor": Label("no brain tumor"),
    "pituitary_tumor": Label("pituitary tumor"),
}

SPLITS = {"Training": "train", "Testing": "test"}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per slice: its folder is the class, the folder above the owner's split."""
    for path, word in folders.classes(raw, "**/T*ing/*/*.jpg", -1):
        split = SPLITS.get(PurePosixPath(path).parts[-3])
        if split is not None:
            yield Unit(files=(path,), reader="raster", split=split, findings=(Finding(word),))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                *(Expect(pattern=f"**/Training/{word}/*.jpg", what=f"training slices of {word}") for word in CLASSES),
                *(Expect(pattern=f"**/Testing/{word}/*.jpg", what=f"test slices of {word}") for word in CLASSES),
            ),
        ),
    ),
)
