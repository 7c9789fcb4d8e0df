"""HAM10000: dermoscopy images, by artefact (51 images of a repository) or by diagnosis (the owner's 10015).

One entry of artefacts/meta.json, which also names images and Photoshop files that aren't there:

    {"class": "bubble", "psd_file": "src/ISIC_0024793.psd", "original_file": "src/ISIC_0024793.jpg", ...}

One row of the owner's HAM10000_metadata, where several images show one lesion:

    lesion_id,image_id,dx,dx_type,age,sex,localization
    HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.errors import Issue, Severity
from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.sample import Subject
from ...schema.triplet import Triplet
from ..formats import json_records, table
from ..formats.table import Row
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Finding, MaskImage, Unit

DIAGNOSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
COLUMNS = ("lesion_id", "image_id", "dx", "age", "sex")

FACTS = Facts(
    name="ham10000_artefacts",
    title="HAM10000 dermoscopy: artefacts, diagnoses and lesions",
    homepage="https://doi.org/10.7910/DVN/DBW86T",
    licence="CC-BY-NC-SA-4.0",
    licence_evidence="Stated three ways: LICENSE.md of the artefact repository says CC BY-NC-SA 4.0 while its link leads to CC "
    "BY 4.0, and meta.json says CC BY-NC 4.0. The strictest is taken; either way it is non-commercial.",
    rights=throughout(
        "CC-BY-NC-SA-4.0",
        Evidence(
            address="test_images/LICENSE.md, artefacts/README.md, artefacts/meta.json",
            words="LICENSE.md and README.md: 'published under the CC BY-NC-SA 4.0 license', with a link to CC BY 4.0; "
            "meta.json: 'Creative Commons Attribution-NonCommercial 4.0'. The narrowest of the three is taken.",
            read_on="2026-11-21",
        ),
    ),
    citation="@article{tschandl2018ham10000,\n"
    "  title = {The HAM10000 dataset, a large collection of multi-source dermatoscopic images of common pigmented\n"
    "           skin lesions},\n"
    "  author = {Tschandl, Philipp and Rosendahl, Cliff and Kittler, Harald},\n  journal = {Scientific Data},\n"
    "  volume = {5},\n  pages = {180161},\n  year = {2018},\n  doi = {10.1038/sdata.2018.161},\n"
    "  note = {Artefacts: \\url{https://github.com/thisismexp/artefact_insertion}}\n}",
    cite="doi:10.1038/sdata.2018.161",
    access=Access.OPEN,
    triplet=Triplet("Der", "skin", "artefact-recognition"),
    clinical_task="Attribute Recognition",
    department="Dermatology",
    group_kind="image",
    collection="ham10000",
    closed_sets={"diagnoses": DIAGNOSES},
    oddities=(
        "Licences conflict: see the evidence.",
        "Artefacts: each image is listed under one kind; another may be visible too, so none is ever counted as absent. "
        "No lesion ids there: groups are images, and two may show one lesion. The cut-outs and their repaired twins are "
        "edited pictures and no samples.",
        "Diagnoses: the group, called a study, is the lesion; which lesions belong to one patient isn't given. "
        "Only some diagnoses are proven by histology (dx_type, not kept). The body site is not kept.",
    ),
    images_stated=10015,
)

LABELS = {
    "bubble": Label("air bubble"),
    "marking": Label("pen marking"),
    "ruler": Label("ruler"),
    "akiec": Label("actinic keratosis or intraepithelial carcinoma", task="skin-diseases"),
    "bcc": Label("basal cell carcinoma", task="skin-diseases"),
    "bkl": Label("benign keratosis-like lesion", task="skin-diseases"),
    "df": Label("dermatofibroma", task="skin-diseases"),
    "mel": Label("melanoma", task="skin-diseases"),
    "nv": Label("melanocytic nevus", task="skin-diseases"),
    "vasc": Label("vascular skin lesion", task="skin-diseases"),
    "lesion": Label("skin lesion", task="lesion-segmentation"),
}

SEXES = {"female": "female", "male": "male"}
OWNERS_IMAGES = "**/HAM10000_images_part*/*.jpg"


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per dermoscopy image, of both layouts where both are there."""
    yield from sorted((*_artefacts(raw), *_diagnoses(raw)), key=lambda unit: unit.files)


def _artefacts(raw: Raw) -> Iterator[Unit]:
    images = raw.glob("**/artefacts/src/*.jpg")
    findings: dict[str, dict[str, Finding]] = {}
    for path in raw.glob("**/artefacts/meta.json"):
        folder = PurePosixPath(path).parent
        for row in json_records.records(raw, path, fields=("class", "original_file"), inside="artefacts"):
            word, image, psd = (str(row.get(field) or "") for field in ("class", "original_file", "psd_file"))
            _report_absent(raw, row, [str(folder / name) for name in (image, psd) if name])
            findings.setdefault(str(folder / image), {})[word] = Finding(word)
    for image in images:
        if image not in findings:
            raw.report(Issue("missing-label", image, "no entry in meta.json", "one per image", "it has no label"))
        yield Unit(files=(image,), reader="raster", findings=tuple(findings.get(image, {}).values()), closed_sets=())


def _report_absent(raw: Raw, row: Row, paths: list[str]) -> None:
    for path in paths:
        if not raw.has(path):
            found, step = f"no file {PurePosixPath(path).name}", "it was passed over"
            raw.report(Issue("missing-file", row.where, found, "the file it names", step, Severity.INFO))


def _diagnoses(raw: Raw) -> Iterator[Unit]:
    images = raw.glob(OWNERS_IMAGES)
    masks = {PurePosixPath(path).stem.removesuffix("_segmentation"): path for path in raw.glob("**/*_segmentation.png")}
    rows: dict[str, Row] = {}
    for path in raw.glob("**/HAM10000_metadata", "**/HAM10000_metadata.csv", "**/HAM10000_metadata.tab")[:1]:
        rows = {row["image_id"]: row for row in table.unique(table.rows(raw, path, columns=COLUMNS), "image_id", raw.report)}
    for name in sorted(rows.keys() - {PurePosixPath(image).stem for image in images}):
        found, step = f"no image {name}", "the row was passed over"
        raw.report(Issue("missing-file", rows[name].where, found, "the image it names", step, Severity.INFO))
    for image in images:
        name = PurePosixPath(image).stem
        targets = (MaskImage(path=masks[name], label="lesion", threshold=127.0),) if name in masks else ()
        yield _lesion(raw, image, rows.get(name), targets)


def _lesion(raw: Raw, image: str, row: Row | None, targets: tuple[MaskImage, ...]) -> Unit:
    triplet = Triplet("Der", "skin", "skin-diseases")
    if row is None:
        raw.report(Issue("missing-label", image, "no row in HAM10000_metadata", "a row per image", "it has no diagnosis"))
        return Unit(files=(image,), reader="raster", targets=targets, closed_sets=(), triplet=triplet)
    age = float(row["age"]) if re.fullmatch(r"\d+(\.\d+)?", row["age"]) else None
    return Unit(
        files=(image,),
        reader="raster",
        group=row["lesion_id"],
        group_kind="study",
        findings=(Finding(row["dx"]),),
        targets=targets,
        triplet=triplet,
        subject=Subject(age_years=age, sex=SEXES.get(row["sex"])),
    )


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the owner's archives (Harvard Dataverse)",
            expects=(
                Expect(pattern=OWNERS_IMAGES, what="dermoscopy images of both parts"),
                Expect(pattern="**/HAM10000_metadata*", what="diagnoses and lesions", columns=COLUMNS),
            ),
        ),
        Layout(
            name="the artefact repository",
            expects=(
                Expect(pattern="**/artefacts/src/*.jpg", what="dermoscopy images"),
                Expect(pattern="**/artefacts/meta.json", what="kinds of artefact"),
            ),
        ),
    ),
)
