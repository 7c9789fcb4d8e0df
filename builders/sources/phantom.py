"""Phantom: drawn CT of 14 subjects with eight structures, 28 chest radiographs with boxes, 16 fundus photographs.

A row of ct/subjects.csv, and one of xray/labels.csv:

    p13,CANARY-P13,train,93,M,rtstruct
    x02-1.png,CANARY-X02,train,nodule,36,F,PA

The CT of p13 is tilted, that of p14 lacks two slices; kidneys and spine have holes. Every text in a header is a canary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.sample import Acquisition, Subject
from ...schema.triplet import Triplet
from ..formats import coco, folders, table
from ..formats.table import Row
from ..phantom import COLUMNS as CT_COLUMNS
from ..phantom import draw
from ..phantom_body import ORGANS
from ..phantom_fundus import GRADES
from ..phantom_xray import CLASSES
from ..phantom_xray import COLUMNS as XRAY_COLUMNS
from ..raw import Raw
from ..source import SOFT_TISSUE, Access, Expect, Facts, Layout, Reading, Source
from ..unit import Finding, LabelMap, Marks, MaskImage, SegObject, StructureSet, Target, Unit

FACTS = Facts(
    name="phantom",
    title="Phantom: drawn CT, chest radiographs and fundus photographs",
    homepage="https://github.com/medloom/medloom",
    licence="CC0-1.0",
    licence_evidence="Drawn by this package (builders/phantom.py), which dedicates the drawings to the public domain.",
    rights=throughout(
        "CC0-1.0",
        Evidence(
            address="builders/phantom.py",
            words="The README.txt that is drawn along says: 'no patient stands behind any file here. CC0-1.0.'",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{medloom_phantom,\n  title = {Phantom: drawn CT, chest radiographs and fundus photographs},\n"
    "  author = {{The MedLoom authors}},\n  year = {2026},\n  howpublished = {\\url{https://github.com/medloom/medloom}}\n}",
    cite="https://github.com/medloom/medloom",
    access=Access.GENERATED,
    triplet=Triplet("CT", "abdomen", "organ-segmentation"),
    clinical_task="Organ Recognition - Abdomen",
    department="Gastroenterology and Hepatology",
    group_kind="patient",
    closed_sets={
        "ct": tuple(ORGANS.values()),
        "x-ray": CLASSES,
        "fundus grades": tuple(GRADES),
        "fundus structures": ("disc", "vessels"),
    },
    oddities=(
        "Drawn, not taken: no finding says anything about real patients, and no number made on it about real performance.",
        "Shapes are few and repeat themselves: learning them is easy.",
        "The second observer of the vessels is the first one thinned, without the finest vessels.",
    ),
    images_stated=322,
)

LABELS = {
    "liver": Label("liver"),
    "right kidney": Label("kidney", laterality="right"),
    "left kidney": Label("kidney", laterality="left"),
    "spleen": Label("spleen"),
    "right lung": Label("lung", area="lung", task="lung-segmentation", laterality="right"),
    "left lung": Label("lung", area="lung", task="lung-segmentation", laterality="left"),
    "spine": Label("spine", area="spine"),
    "lung nodule": Label("pulmonary nodule", area="lung", task="lesion-segmentation"),
    "normal": Label("no finding", departments=("Pulmonary Medicine",)),  # of the chest; the table knows no body part
    "nodule": Label("pulmonary nodule"),
    "effusion": Label("pleural effusion"),
    "0-none": Label("no retinopathy"),
    "1-mild": Label("mild retinopathy"),
    "2-severe": Label("severe retinopathy"),
    "disc": Label("optic disc", task="optic-disc-segmentation"),
    "vessels": Label("retinal vessels", task="vessel-segmentation"),
}

SEXES = {"F": "female", "M": "male"}
XRAY = Triplet("X-ray", "chest", "disease-classification")
FUNDUS = Triplet("FP", "fundus", "severity-grading")


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per CT volume, radiograph and photograph; the group is the drawn patient."""
    for row in table.rows(raw, "ct/subjects.csv", columns=CT_COLUMNS):
        yield _ct(raw, row)
    yield from _photographs(raw)
    yield from _radiographs(raw)


def _ct(raw: Raw, row: Row) -> Unit:
    folder = f"ct/{row['folder']}"
    target: Target
    if row["files"] == "nifti":
        files, target = (f"{folder}/image.nii.gz",), LabelMap(path=f"{folder}/labels.nii.gz", values=ORGANS)
    elif row["files"] == "seg":
        files, target = tuple(raw.glob(f"{folder}/series/*.dcm")), SegObject(path=f"{folder}/seg.dcm")
    else:
        files, target = tuple(raw.glob(f"{folder}/series/*.dcm")), StructureSet(path=f"{folder}/rtstruct.dcm")
    return Unit(
        files=files,
        reader="volume" if row["files"] == "nifti" else "dicom",
        id=folder,
        group=row["patient"],
        split=row["split"],
        targets=(target,),
        closed_sets=("ct",),
        subject=_subject(row),
    )


def _photographs(raw: Raw) -> Iterator[Unit]:
    for path, grade in folders.classes(raw, "fundus/t*/*/*.jpg", -1):
        name = PurePosixPath(path).stem
        yield Unit(
            files=(path,),
            reader="raster",
            group=name.partition("-")[0],
            split=PurePosixPath(path).parts[1],
            findings=(Finding(grade),),
            targets=(
                MaskImage(path=f"fundus/disc/{name}.png", label="disc", threshold=127),
                MaskImage(path=f"fundus/vessels-1/{name}.png", label="vessels", threshold=127, observer="first observer"),
                MaskImage(path=f"fundus/vessels-2/{name}.png", label="vessels", threshold=127, observer="second observer"),
            ),
            closed_sets=("fundus grades", "fundus structures"),
            triplet=FUNDUS,
        )


def _radiographs(raw: Raw) -> Iterator[Unit]:
    boxes = {image.file_name: image.marks for image in coco.read(raw, "xray/boxes.json").images}
    for row in table.rows(raw, "xray/labels.csv", columns=XRAY_COLUMNS):
        marks = boxes.get(row["image"], ())
        yield Unit(
            files=(f"xray/images/{row['image']}",),
            reader="raster",
            group=row["patient"],
            split=row["split"],
            findings=(Finding(row["class"]),),
            targets=(Marks(marks),) if marks else (),
            closed_sets=("x-ray",),
            triplet=XRAY,
            acquisition=Acquisition(view=row["view"]),
            subject=_subject(row),
        )


def _subject(row: Row) -> Subject:
    return Subject(age_years=float(row["age"]), sex=SEXES[row["sex"]])


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="as drawn",
            expects=(
                Expect(pattern="ct/subjects.csv", what="CT subjects", columns=CT_COLUMNS),
                Expect(pattern="ct/*/labels.nii.gz", what="label maps", at_least=6),
                Expect(pattern="ct/*/seg.dcm", what="DICOM SEG objects", at_least=5),
                Expect(pattern="ct/*/rtstruct.dcm", what="DICOM structure sets", at_least=3),
                Expect(pattern="xray/labels.csv", what="classes of radiographs", columns=XRAY_COLUMNS),
                Expect(pattern="xray/boxes.json", what="boxes (COCO)"),
                Expect(pattern="xray/images/*.png", what="radiographs", at_least=28),
                Expect(pattern="fundus/t*/*/*.jpg", what="fundus photographs by split and grade", at_least=16),
            ),
        ),
    ),
    reading=Reading(window=SOFT_TISSUE),
    draw=draw,
)
