"""Three brain atlases: a template with subcortical labels, a template alone, and labels without a template.

    PD25/PD25-fusion-template-1mm.nii.gz        156×192×165 voxels
    PD25/PD25-subcortical-1mm.nii.gz            69×64×46, the same space, cropped
    PD25/PD25-subcortical.json                  {"labels": ["na", "Left red nucleus", "Right red nucleus", …]}

CIT168.nii.gz is no label map: each voxel is an RGBA colour that packs two region numbers and their probabilities. The Allen
atlas comes as labels alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from ...schema.errors import Issue, Severity, UnreadableError
from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import json_records
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Reading, Source
from ..unit import LabelMap, Unit

NUCLEI = {
    "red nucleus": "red nucleus",
    "substantia nigra": "substantia nigra",
    "subthalamic nucleus": "subthalamic nucleus",
    "caudate": "caudate nucleus",
    "putamen": "putamen",
    "globus pallidus externa": "external globus pallidus",
    "globus pallidus interna": "internal globus pallidus",
    "thalamus": "thalamus",
}
"""The atlas' word → the canonical name."""
LABELS = {f"{side} {word}": Label(name, laterality=side.lower()) for word, name in NUCLEI.items() for side in ("Left", "Right")}

FACTS = Facts(
    name="niivue_atlases",
    title="Brain atlases of niivue's demo images: PD25 and CIT168",
    homepage="https://github.com/niivue/niivue-demo-images",
    licence="LicenseRef-per-volume",
    licence_evidence="NOTICE.txt quotes the atlases' own terms: CIT168 and Allen CC BY 4.0, PD25 CC BY-NC-SA 3.0 "
    "(non-commercial). LICENSE is BSD 2-Clause, for the repository. Every sample bears its atlas' licence.",
    rights=throughout(
        "LicenseRef-per-volume",
        Evidence(
            address="NOTICE.txt",
            words="NOTICE.txt quotes CIT168 ('retain the original CC BY 4.0 license'), Allen ('the same CC BY 4.0') and "
            "PD25 ('retain the original CC BY-NC-SA 3.0 license'). Template and labels of an atlas share its licence, "
            "which every sample bears.",
            read_on="2026-11-21",
        ),
    ),
    citation="@article{xiao2017dataset,\n"
    "  title = {A dataset of multi-contrast population-averaged brain {MRI} atlases of a {P}arkinson's disease cohort},\n"
    "  author = {Xiao, Yiming and others},\n  journal = {Data in Brief},\n  volume = {12},\n  pages = {370--379},\n"
    "  year = {2017},\n  doi = {10.1016/j.dib.2017.04.013}\n}\n"
    "@article{pauli2018high,\n"
    "  title = {A high-resolution probabilistic in vivo atlas of human subcortical brain nuclei},\n"
    "  author = {Pauli, Wolfgang M. and Nili, Amanda N. and Tyszka, J. Michael},\n  journal = {Scientific Data},\n"
    "  volume = {5},\n  pages = {180063},\n  year = {2018},\n  doi = {10.1038/sdata.2018.63}\n}",
    cite="doi:10.1016/j.dib.2017.04.013; doi:10.1038/sdata.2018.63",
    access=Access.OPEN,
    triplet=Triplet("MRI", "brain", "brain-structure-segmentation"),
    clinical_task="Nervous Tissue",
    department="Neurosurgery",
    group_kind="volume",
    closed_sets={"subcortical structures": tuple(LABELS)},
    oddities=(
        "Atlases, no patients: averages over many people, and three licences in one source.",
        "The label map of PD25 is cropped around the 8 structures per side that it labels, and is brought to the template's "
        "grid.",
        "CIT168's labels are probabilities packed into colours and aren't read: its template stands without labels.",
        "The Allen atlas has no template here and gives no sample.",
    ),
)

UNLABELLED = Triplet("MRI", "brain", "unlabelled")
PD25, PD25_MAP = "**/PD25/PD25-fusion-template-1mm.nii.gz", "**/PD25/PD25-subcortical-1mm.nii.gz"
CIT168, CIT168_MAP = "**/CIT168/CIT168toMNI152-2009c_T1w_brain.nii.gz", "**/CIT168/CIT168.nii.gz"


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per template; label volumes that can't be used are issues."""
    for path in raw.glob("**/Allen/*.nii.gz"):
        raw.report(Issue("no-image", path, "labels without a template", "a template beside them", "they were left out"))
    for path in raw.glob(CIT168_MAP):
        found = "RGBA voxels that pack two region numbers and their probabilities"
        raw.report(Issue("unsupported", path, found, "one label per voxel", "the template stands without labels"))
    for path in raw.glob(CIT168, PD25):
        unit = Unit(files=(path,), reader="volume", group=PurePosixPath(path).parent.name)
        if unit.group == "CIT168":
            yield replace(unit, modality_detail="T1", triplet=UNLABELLED, licence="CC-BY-4.0")
        else:
            targets = tuple(_maps(raw, PurePosixPath(path).parent))
            yield replace(unit, targets=targets, licence="CC-BY-NC-SA-3.0")


def _maps(raw: Raw, folder: PurePosixPath) -> Iterator[LabelMap]:
    """The label map of PD25 with the names of its values; the first name is the background."""
    path, names = f"{folder}/PD25-subcortical-1mm.nii.gz", f"{folder}/PD25-subcortical.json"
    if not raw.has(path) or not raw.has(names):
        found = "no label map or no names"
        raw.report(Issue("missing-label", path, found, "both", "the template stands without labels", Severity.WARNING))
        return
    document = json_records.load(raw, names)
    words = document.get("labels") if isinstance(document, dict) else None
    if not isinstance(words, list):
        raise UnreadableError("no list of labels", expected="a name per value", where=names)
    yield LabelMap(path=path, values={value: str(word).strip() for value, word in enumerate(words) if value})


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    # Some nuclei measure a few voxels: the usual share of a slice would drop the subthalamic nucleus everywhere.
    reading=Reading(min_mask_share=0.0003),
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern=CIT168, what="template of CIT168"),
                Expect(pattern=PD25, what="template of PD25"),
                Expect(pattern=PD25_MAP, what="label map of PD25"),
                Expect(pattern="**/PD25/PD25-subcortical.json", what="names of its labels"),
            ),
        ),
    ),
)
