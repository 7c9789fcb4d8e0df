"""The reading half of a builder file, per layout: code that a user will read, and constants to start from.

Nothing is filled into this code: what was found in a folder stands in the constants above it, as literals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One layout's code."""

    imports: tuple[str, ...]
    reads: str
    blanks: dict[str, Any] = field(default_factory=dict)
    """Constants of a file that was written without looking at a folder."""
    expects: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    labelled: bool = True


PNG = {"IMAGES": ("**/*.png",), "READERS": {".png": "raster"}}
NOTES = {
    "IMAGES": "Globs, relative to the raw root; `**/` is any depth.",
    "READERS": "Suffix → reader: raster, tiff, video, volume or dicom.",
    "SPLIT_FOLDERS": "Folder name → train, validation or test: the owner's own split, where there is one.",
    "GROUP_IN_PATH": "Finds the id of a patient (study, video) in a path: no split cuts a group. Empty: none is known.",
    "DEPTH": "Folder level whose name is the label: -1 holds the file, -2 is above it.",
    "TABLES": "Table → the split of its rows, None where its name says none. DELIMITER None takes the one that fits.",
    "FILE": "The column that names the image by its `path` (below the folder BASE), `name`, or `stem` (without suffix).",
    "LABEL": "The column of the label.",
    "SEPARATOR": "What parts several labels in one cell; empty where there is one.",
    "FINDINGS": "A column per label: 1 present, 0 absent, -1 uncertain, empty not assessed.",
    "GROUP": "The column of the patient (study, video): no split cuts a group.",
    "SPLIT": "The column of the owner's split, and what its words mean.",
    "AGE": "Age in years; 90 and over is pooled.",
    "SEX": "Sex, and what its words mean.",
    "BOX": "Columns of a box in px, as `corners` (x0, y0, x1, y1) or `size` (x, y, width, height).",
    "COLUMNS": "What the table must have.",
    "MASKS": "Globs of the masks; what matches here is no image.",
    "RULE": "How the names of image and mask agree: fields of folders.Rule.",
    "VALUES": "Value in the mask → raw label. Empty: one label, above THRESHOLD.",
    "THRESHOLD": "Pixels above it are inside, where VALUES is empty.",
    "SWAP": "Folder to exchange in an image's path to find its label file; empty where both lie together.",
    "OPTIONS": "`one_based: False` where pixels count from 0, `inclusive: False` where xmax isn't part of the box.",
    "SPLIT_LISTS": "Text files that list the images of a split.",
    "NAMES": "Class number → raw label.",
    "SETS": "COCO file → (folder that its file names leave out, split).",
    "GROUP_KIND": "What a group is where one is known.",
}
"""The comment above each constant."""

_FOLDERS = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image, in path order; the name of a folder is its label."""
    for path, word in sorted(found for pattern in IMAGES for found in folders.classes(raw, pattern, DEPTH)):
        yield unit(path, findings=(Finding(word),) if LABELS.get(word, True) else ())
'''
_ALONE = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image, in path order; nothing is labelled."""
    for path in raw.glob(*IMAGES):
        yield unit(path)
'''
_TABLE = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image with its row of the table, in path order."""
    rows = rows_of(raw)
    for path in raw.glob(*IMAGES):
        known = rows.pop(named(path), None)
        if known is None:
            raw.report(Issue("missing-label", path, "no row in the table", "a row per image", "it stands without labels"))
            yield unit(path)
        else:
            yield unit(path, **known[1])
    for name, (where, _) in rows.items():
        raw.report(Issue("missing-file", where, f"no image {name[:60]!r}", "an image per row", "the row was passed over"))


def rows_of(raw: Raw) -> dict[str, tuple[str, dict]]:
    """What the table calls an image → where it stands, and what is known of it."""
    found = {}
    for path, split in TABLES.items():
        rows = table.rows(raw, path, columns=COLUMNS, delimiter=DELIMITER, encoding=ENCODING)
        for row in table.unique(rows, FILE, raw.report):
            found[row[FILE]] = (row.where, known_of(raw, row, split))
    return found


def known_of(raw: Raw, row: table.Row, split: str | None) -> dict:
    """Fields of the unit that a row fills."""
    return {
@@FIELDS@@    }


def named(path: str) -> str:
    """What the table calls an image."""
    stem = PurePosixPath(path.removesuffix(".gz")).stem
    return {"path": path.removeprefix(BASE), "name": PurePosixPath(path).name, "stem": stem}[FILE_IS]
'''
_BOX_TABLE = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image with its boxes, in path order; a row of the table is a box."""
    rows: dict[str, list[tuple[table.Row, str | None]]] = {}
    for path, split in TABLES.items():
        for row in table.rows(raw, path, columns=COLUMNS, delimiter=DELIMITER, encoding=ENCODING):
            rows.setdefault(row[FILE], []).append((row, split))
    for path in raw.glob(*IMAGES):
        mine = rows.pop(named(path), [])
        marks = [mark for row, _ in mine if (mark := mark_of(raw, row)) is not None]
        known = known_of(raw, *mine[0]) if mine else {}
        if not mine:
            raw.report(Issue("missing-label", path, "no row in the table", "a row per box", "it stands without labels"))
        yield unit(path, targets=(Marks(tuple(marks)),) if marks else (), **known)
    for name, lost in rows.items():
        found = f"no image {name[:60]!r}"
        raw.report(Issue("missing-file", lost[0][0].where, found, "an image per row", "the row was passed over"))


def mark_of(raw: Raw, row: table.Row) -> Mark | None:
    """The box of a row; None where it names none."""
    if not any(row[name] for name in BOX):
        return None
    try:
        x0, y0, x1, y1 = (float(row[name]) for name in BOX)
    except ValueError:
        found = ", ".join(row[name][:20] for name in BOX)
        raw.report(Issue("bad-row", row.where, found, "four numbers", "the box was left out"))
        return None
    box = (x0, y0, x1, y1) if BOX_IS == "corners" else (x0, y0, x0 + x1, y0 + y1)
    return Mark(label=@@WORD@@, where=row.where, box_xyxy_px=box)


def known_of(raw: Raw, row: table.Row, split: str | None) -> dict:
    """Fields of the unit that a row fills."""
    return {
@@FIELDS@@    }


def named(path: str) -> str:
    """What the table calls an image."""
    stem = PurePosixPath(path.removesuffix(".gz")).stem
    return {"path": path.removeprefix(BASE), "name": PurePosixPath(path).name, "stem": stem}[FILE_IS]
'''
_MASKS = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image with its masks, in path order."""
    listed = raw.glob(*MASKS)
    images = [path for path in raw.glob(*IMAGES) if path not in set(listed)]
    masks: dict[str, list[str]] = {}
    for image, mask in folders.pair(images, listed, rule=folders.Rule(**RULE), report=raw.report)[0]:
        masks.setdefault(image, []).append(mask)
    for path in images:
        targets = [MaskImage(path=mask, label=LABEL, values=VALUES, threshold=THRESHOLD) for mask in masks.get(path, ())]
        yield unit(path, targets=tuple(targets))
'''
_MAPS = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per volume with its label maps, in path order."""
    listed = set(raw.glob(*MASKS))
    volumes = [path for path in raw.glob(*IMAGES) if path not in listed]
    maps: dict[str, list[str]] = {}
    if listed:
        for volume, found in folders.pair(volumes, sorted(listed), rule=folders.Rule(**RULE), report=raw.report)[0]:
            maps.setdefault(volume, []).append(found)
    for path in volumes:
        yield unit(path, targets=tuple(LabelMap(path=found, values=VALUES) for found in maps.get(path, ())))
'''
_VOC = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image with its boxes, in path order."""
    lines = ((line.split(), split) for path, split in SPLIT_LISTS.items() for line in raw.text(path).splitlines())
    splits = {words[0]: split for words, split in lines if words}
    for path in raw.glob(*IMAGES):
        target = LabelFile(path=label_file(path, ".xml"), format="voc", options=OPTIONS)
        yield unit(path, targets=(target,), split=splits.get(PurePosixPath(path).stem) or split_of(path))
'''
_YOLO = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image with its boxes or polygons, in path order."""
    for path in raw.glob(*IMAGES):
        yield unit(path, targets=(LabelFile(path=label_file(path, ".txt"), format="yolo", names=NAMES),))
'''
_LABEL_FILE = '''

def label_file(path: str, suffix: str) -> str:
    """Where the label file of an image lies."""
    folder = (SWAP.get(part, part) for part in PurePosixPath(path).parts[:-1])
    return PurePosixPath(*folder, PurePosixPath(path).stem + suffix).as_posix()
'''
_COCO = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per image that a COCO file lists, with its boxes, masks and contours."""
    for path, (folder, split) in SETS.items():
        for image in sorted(coco.read(raw, path).images, key=lambda image: image.file_name):
            file = folder + image.file_name
            if not raw.has(file):
                raw.report(Issue("missing-file", path, f"no image {file[:80]!r}", "each that it lists", "it was passed over"))
                continue
            targets = (Marks(image.marks),) if image.marks else ()
            yield unit(file, targets=targets, split=split or split_of(file))
'''
_DICOM = '''
def read(raw: Raw) -> Iterator[Unit]:
    """Yield one unit per series with the SEGs and RTSTRUCTs that refer to it, in the order of their first files."""
    found = dicom_series.referencing(dicom_series.series(raw, *IMAGES))
    for label in found.orphans:
        raw.report(Issue("no-image", label.files[0], "labels of images that aren't here", "their images", "they were left out"))
    for series, labels in found.pairs:
        targets = [targets_by_kind[label.kind](path=path) for label in labels for path in label.files]
        group = series.patient_id if GROUP_KIND == "patient" else series.study_uid
        kind = GROUP_KIND if group else "image"
        split = split_of(series.files[0])
        yield Unit(files=series.files, reader="dicom", group=group, group_kind=kind, split=split, targets=tuple(targets))


targets_by_kind = {"seg": SegObject, "rtstruct": StructureSet}
'''

_IMPORT = "from medloom.builders.formats import {}"
_ISSUE = "from medloom.schema.errors import Issue"
_UNIT = "from medloom.builders.unit import {}"

PARTS = {
    "class-folders": Part(
        imports=(_IMPORT.format("folders"), _UNIT.format("Finding, Unit")), reads=_FOLDERS, blanks={**PNG, "DEPTH": -1}
    ),
    "images": Part(imports=(_UNIT.format("Unit"),), reads=_ALONE, labelled=False),
    "csv": Part(
        imports=(_IMPORT.format("table"), _ISSUE, _UNIT.format("Finding, Unit")),
        reads=_TABLE,
        blanks={
            **PNG,
            "TABLES": {"labels.csv": None},
            "ENCODING": "utf-8-sig",
            "DELIMITER": None,
            "FILE": "image",
            "FILE_IS": "name",
            "BASE": "",
            "LABEL": "label",
            "COLUMNS": ("image", "label"),
        },
        expects=(("labels.csv", "the table of labels", ("image", "label")),),
    ),
    "csv-boxes": Part(imports=(_IMPORT.format("table"), _ISSUE, _UNIT.format("Mark, Marks, Unit")), reads=_BOX_TABLE),
    "pairs": Part(
        imports=(_IMPORT.format("folders"), _UNIT.format("MaskImage, Unit")),
        reads=_MASKS,
        blanks={
            "IMAGES": ("images/**/*.png",),
            "READERS": {".png": "raster"},
            "MASKS": ("masks/**/*.png",),
            "RULE": {},
            "VALUES": {},
            "THRESHOLD": 127.0,
            "LABEL": "mask",
        },
        expects=(("masks/**/*.png", "masks", ()),),
    ),
    "voc": Part(
        imports=(_UNIT.format("LabelFile, Unit"),),
        reads=_VOC + _LABEL_FILE,
        blanks={
            "IMAGES": ("**/JPEGImages/*.jpg",),
            "READERS": {".jpg": "raster"},
            "SWAP": {"JPEGImages": "Annotations"},
            "OPTIONS": {},
            "SPLIT_LISTS": {},
        },
        expects=(("**/Annotations/*.xml", "Pascal VOC files", ()),),
    ),
    "coco": Part(
        imports=(_IMPORT.format("coco"), _ISSUE, _UNIT.format("Marks, Unit")),
        reads=_COCO,
        blanks={
            "IMAGES": ("**/*.jpg",),
            "READERS": {".jpg": "raster"},
            "SETS": {"annotations.json": ("images/", None)},
        },
        expects=(("annotations.json", "COCO annotations", ()),),
    ),
    "yolo": Part(
        imports=(_UNIT.format("LabelFile, Unit"),),
        reads=_YOLO + _LABEL_FILE,
        blanks={
            "IMAGES": ("**/images/**/*.jpg",),
            "READERS": {".jpg": "raster"},
            "SWAP": {"images": "labels"},
            "NAMES": {"0": "first class", "1": "second class"},
        },
        expects=(("**/labels/**/*.txt", "a label file per image", ()),),
    ),
    "nifti": Part(
        imports=(_IMPORT.format("folders"), _UNIT.format("LabelMap, Unit")),
        reads=_MAPS,
        blanks={
            "IMAGES": ("imagesTr/*.nii.gz",),
            "READERS": {".gz": "volume"},
            "MASKS": ("labelsTr/*.nii.gz",),
            "RULE": {},
            "VALUES": {1: "first label", 2: "second label"},
        },
        expects=(("labelsTr/*.nii.gz", "label maps", ()),),
    ),
    "dicom": Part(
        imports=(_IMPORT.format("dicom_series"), _ISSUE, _UNIT.format("SegObject, StructureSet, Unit")),
        reads=_DICOM,
        blanks={"IMAGES": ("**/*.dcm",), "READERS": {".dcm": "dicom"}, "GROUP_KIND": "patient"},
    ),
}
