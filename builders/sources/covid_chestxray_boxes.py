"""COVID-19 chest X-rays: 616 radiographs with a box per lung, diagnoses and patients from a table of 758 rows.

One row of metadata.csv, whose last column has no name:

    patientid,...,sex,age,finding,...,view,modality,date,location,folder,filename,...,license,clinical_notes,other_notes,
    221,...,M,,COVID-19,...,PA,X-ray,2020,"Hannover, Germany",images,2168a917.jpg,...,CC BY 3.0,...

Later versions write findings as a path, `Pneumonia/Viral/COVID-19`. One annotation of the COCO file has no category_id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from ...schema.errors import Issue, Severity
from ...schema.labels import Label
from ...schema.rights import Evidence, Right
from ...schema.rights import Subject as Of
from ...schema.sample import Acquisition, Subject
from ...schema.triplet import Triplet
from ..formats import coco, table
from ..formats.table import Row
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Finding, Marks, Unit

COLUMNS = ("patientid", "sex", "age", "finding", "view", "modality", "folder", "filename", "license")

PER_IMAGE = Right(
    licence="LicenseRef-per-image",
    evidence=Evidence(
        address="README.md, metadata.csv",
        words="README.md: 'Each image has license specified in the metadata.csv file'. 518 of the 758 rows have one, which the "
        "sample bears; of the others nobody knows.",
        read_on="2026-11-21",
    ),
)
TABLE = Right(
    licence="CC-BY-NC-SA-4.0",
    evidence=Evidence(
        address="https://github.com/ieee8023/covid-chestxray-dataset/issues/130",
        words="The owner of the table, there: 'The metadata.csv, scripts, and other documents are released under a CC BY-NC-SA "
        "4.0 license.' The boxes alone are CC BY 4.0 (README.md: 'The repository is licensed under Attribution 4.0'), but "
        "records hold both: the narrower one is taken.",
    ),
)

FACTS = Facts(
    name="covid_chestxray_boxes",
    title="COVID-19 chest X-rays with lung boxes",
    homepage="https://github.com/GeneralBlockchain/covid-19-chest-xray-lung-bounding-boxes-dataset",
    licence="LicenseRef-per-image",
    licence_evidence="Each image has its own licence in metadata.csv, among them non-commercial ones, ones that forbid "
    "derivatives, and 240 rows without any; the boxes are CC BY 4.0 (README.md). A Creative Commons licence without a "
    "version is kept as written. The images come from ieee8023/covid-chestxray-dataset.",
    rights={Of.PIXELS: PER_IMAGE, Of.ANNOTATIONS: TABLE, Of.DERIVED_TEXT: TABLE, Of.PROCESSING: PER_IMAGE},
    citation="@article{cohen2020covid,\n  title = {COVID-19 Image Data Collection},\n"
    "  author = {Cohen, Joseph Paul and Morrison, Paul and Dao, Lan},\n  journal = {arXiv},\n  volume = {2003.11597},\n"
    "  year = {2020},\n"
    "  note = {Boxes: \\url{https://github.com/GeneralBlockchain/covid-19-chest-xray-lung-bounding-boxes-dataset}}\n}",
    cite="arXiv:2003.11597",
    access=Access.OPEN,
    triplet=Triplet("X-ray", "lung", "covid-19-pneumonia"),
    clinical_task="Disease Diagnosis",
    department="Pulmonary Medicine",
    group_kind="patient",
    collection="covid_chestxray_dataset",
    closed_sets={"normality": ("No Finding",)},
    oddities=(
        "A finding is the patient's diagnosis and not always seen on the image; diagnoses that a row doesn't name weren't "
        "assessed, so that only `no finding` is ever absent.",
        "Rows marked `todo` or `Unknown` have no finding.",
        "Free-text clinical notes, dates and places stand in the table and are left out.",
        "An AP view may have been taken lying down (`AP Supine`): that is not kept.",
        "Boxes were drawn on 616 images, four of which the table doesn't name; CT volumes are left out.",
        "Images come from papers and web pages: their grey values are not those of the detector.",
    ),
    images_stated=616,
)

LABELS = {
    "Left Lung": Label("lung", laterality="left", task="lung-detection"),
    "Right Lung": Label("lung", laterality="right", task="lung-detection"),
    "No Finding": Label("no finding", departments=("Pulmonary Medicine",)),  # of the chest; the table knows no body part
    "Pneumonia": Label("pneumonia"),
    "Viral": Label("viral pneumonia"),
    "Bacterial": Label("bacterial pneumonia"),
    "Fungal": Label("fungal pneumonia"),
    "Aspiration": Label("aspiration pneumonia"),
    "Lipoid": Label("lipoid pneumonia"),
    "COVID-19": Label("covid-19"),
    "SARS": Label("severe acute respiratory syndrome"),
    "MERS-CoV": Label("middle east respiratory syndrome"),
    "ARDS": Label("acute respiratory distress syndrome"),
    "Influenza": Label("influenza pneumonia"),
    "H1N1": Label("influenza a h1n1 pneumonia"),
    "Varicella": Label("varicella pneumonia"),
    "Herpes": Label("herpes pneumonia"),
    "Pneumocystis": Label("pneumocystis pneumonia"),
    "Aspergillosis": Label("pulmonary aspergillosis"),
    "Streptococcus": Label("streptococcal pneumonia"),
    "Staphylococcus": Label("staphylococcal pneumonia"),
    "MRSA": Label("methicillin-resistant staphylococcal pneumonia"),
    "Klebsiella": Label("klebsiella pneumonia"),
    "E.Coli": Label("escherichia coli pneumonia"),
    "Legionella": Label("legionella pneumonia"),
    "Nocardia": Label("nocardia pneumonia"),
    "Chlamydophila": Label("chlamydial pneumonia"),
    "Mycoplasma": Label("mycoplasma pneumonia"),
    "Mycoplasma Bacterial Pneumonia": Label("mycoplasma pneumonia"),
    "Tuberculosis": Label("pulmonary tuberculosis"),
    "todo": None,
    "Unknown": None,
}

LICENCES = {
    "CC BY": "LicenseRef-CC-BY-unversioned",
    "CC BY-SA": "LicenseRef-CC-BY-SA-unversioned",
    "CC BY-NC-SA": "LicenseRef-CC-BY-NC-SA-unversioned",
    "CC BY-NC-ND": "LicenseRef-CC-BY-NC-ND-unversioned",
    "CC BY 3.0": "CC-BY-3.0",
    "CC BY 4.0": "CC-BY-4.0",
    "CC BY-NC-SA 4.0": "CC-BY-NC-SA-4.0",
    "CC BY-NC-ND 4.0": "CC-BY-NC-ND-4.0",
    "CC0 1.0": "CC0-1.0",
    "CC0": "CC0-1.0",
    "Apache 2.0": "Apache-2.0",
    "listed as authorized for everyone": "LicenseRef-authorized-for-everyone",
    "": "unstated",
}
SEXES = {"F": "female", "M": "male", "": None}
SUFFIXES = (".jpg", ".jpeg", ".png")
PLANES = {"Axial": "axial", "Coronal": "coronal", "Sagittal": "sagittal"}
VIEWS = {"PA": "PA", "AP": "AP", "AP Supine": "AP", "AP Erect": "AP", "L": "LATERAL", **dict.fromkeys(("", "?", *PLANES))}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per image, with its row of the table and its boxes; rows without an image are counted apart."""
    listed = table.rows(raw, raw.glob("**/metadata.csv")[0], columns=COLUMNS)
    rows = {row["filename"]: row for row in table.unique(listed, "filename", raw.report)}
    boxed = {image.file_name: image.marks for image in coco.read(raw, raw.glob("**/annotations/annotations.json")[0]).images}
    images = [path for path in raw.glob("**/images/*") if PurePosixPath(path).suffix.lower() in SUFFIXES]
    _report_absent(raw, rows, boxed, present={PurePosixPath(path).name for path in images})
    for path in images:
        name = PurePosixPath(path).name
        targets = (Marks(boxed[name]),) if boxed.get(name) else ()
        if name in rows:
            yield _unit(raw, path, rows[name], targets)
        else:
            step = "it has boxes alone"
            raw.report(Issue("missing-label", path, "no row in metadata.csv", "a row per image", step, Severity.INFO))
            yield Unit(files=(path,), reader="raster", group_kind="image", targets=targets, closed_sets=(), licence="unstated")


def _unit(raw: Raw, path: str, row: Row, targets: tuple[Marks, ...]) -> Unit:
    words = [word.strip() for word in re.split("[/,]", row["finding"]) if word.strip()]
    known = any(LABELS.get(word) for word in words)
    return Unit(
        files=(path,),
        reader="raster",
        group=row["patientid"],
        group_kind="patient" if row["patientid"] else "image",
        findings=tuple(Finding(word) for word in words),
        targets=targets,
        closed_sets=("normality",) if known else (),
        triplet=Triplet("CT", "lung", "covid-19-pneumonia") if row["modality"] == "CT" else None,
        acquisition=Acquisition(view=_meaning(raw, row, "view", VIEWS), plane=PLANES.get(row["view"])),
        subject=Subject(age_years=_age(raw, row), sex=_meaning(raw, row, "sex", SEXES)),
        licence=_meaning(raw, row, "license", LICENCES) or f"LicenseRef-{re.sub('[^A-Za-z0-9.]+', '-', row['license'])}",
    )


def _meaning(raw: Raw, row: Row, column: str, words: Mapping[str, str | None]) -> str | None:
    """What the cell's word stands for; a word that isn't known is an issue."""
    if row[column] not in words:
        _report_word(raw, row, column, "one of " + ", ".join(map(repr, words)))
    return words.get(row[column])


def _age(raw: Raw, row: Row) -> float | None:
    if re.fullmatch(r"\d{1,3}(\.\d+)?", row["age"]):
        return float(row["age"])
    if row["age"]:
        _report_word(raw, row, "age", "years")
    return None


def _report_word(raw: Raw, row: Row, column: str, expected: str) -> None:
    found = f"{column} {row[column][:60]!r}"
    raw.report(Issue("unknown-label-value", row.where, found, expected, "it was left out"))


def _report_absent(raw: Raw, rows: Mapping[str, Row], boxed: Mapping[str, object], *, present: set[str]) -> None:
    for name in [name for name in rows if name not in present]:
        if rows[name]["folder"] == "volumes":
            found, expected = f"CT volume {name}", "a 2-D image"
            raw.report(Issue("unsupported", rows[name].where, found, expected, "it was left out", Severity.INFO))
        else:
            found, step = f"no image {name}", "the row was passed over"
            raw.report(Issue("missing-file", rows[name].where, found, "it in images/", step, Severity.INFO))
    for name in [name for name in boxed if name not in rows and name not in present]:
        found, step = f"no image {name}, and no row", "its boxes were passed over"
        raw.report(Issue("missing-file", "annotations.json", found, "it in images/", step, Severity.INFO))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/metadata.csv", what="findings and patients", columns=COLUMNS),
                Expect(pattern="**/annotations/annotations.json", what="lung boxes (COCO)"),
                Expect(pattern="**/images/*", what="images that the table names"),
            ),
        ),
    ),
)
