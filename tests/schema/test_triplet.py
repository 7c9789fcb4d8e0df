"""Every word that the four systems, SA-Med2D and DICOM use has its place, and no two triplets share a subset."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path

import pytest

from medloom.schema.errors import DataError, UsageError
from medloom.schema.triplet import AREAS, BROAD_TASKS, MODALITIES, TASKS, Triplet, from_dicom
from medloom.schema.vocabulary import Term, slug

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"

MEDMAT_MODALITIES = ("Co", "CT", "Der", "DP", "End", "FP", "Mic", "MRI", "OCT", "US", "X-ray")
GMAI_NOT_MR = (
    ("CT", "CT"),
    ("CTA", "CTA"),
    ("X-ray", "X-ray"),
    ("UltraSound", "US"),
    ("OCT", "OCT"),
    ("Fundus Photography", "FP"),
    ("Endoscopy", "End"),
    ("Dermoscopy", "Der"),
    ("Histopathology", "Histopathology"),
    ("Microscopy", "Mic"),
    ("Colposcopy", "Co"),
    ("Infrared Reflectance (IR) imaging", "IR"),
    ("Adaptive Optics Ophthalmoscopy", "AO"),
    ("Texture Characterization of Bone Radiograph", "Bone-texture"),
)
GMAI_MR = (
    *(("MRI", "MRI"), ("T1", "T1"), ("T1 weighted", "T1"), ("T2", "T2"), ("T2 weighted", "T2"), ("FLAIR", "FLAIR")),
    *(("T1Gd", "T1ce"), ("T1ce", "T1ce"), ("Gadolinium", "T1ce"), ("ADC", "ADC"), ("DWI", "DWI"), ("DTI", "DTI")),
    *(("SWI", "SWI"), ("ASL", "ASL"), ("PD", "PD"), ("MP-RAGE", "MP-RAGE"), ("DCE", "DCE"), ("LGE", "LGE")),
    *(("DE", "LGE"), ("CMR", "CMR"), ("Fat", "Fat"), ("Water", "Water"), ("In-phase", "In-phase")),
    ("Opposed-phase", "Opposed-phase"),
)
SA_MED2D = {
    "ct_00": "CT",
    "ct_cbf": "CT-CBF",
    "ct_cbv": "CT-CBV",
    "ct_mtt": "CT-MTT",
    "ct_tmax": "CT-Tmax",
    "dermoscopy_00": "Der",
    "endoscopy_00": "End",
    "fundus_photography": "FP",
    "mr_00": "MRI",
    "mr_adc": "ADC",
    "mr_cbf": "MR-CBF",
    "mr_cbv": "MR-CBV",
    "mr_cmr": "CMR",
    "mr_dwi": "DWI",
    "mr_flair": "FLAIR",
    "mr_hbv": "HBV",
    "mr_lge": "LGE",
    "mr_mprage": "MP-RAGE",
    "mr_mtt": "MR-MTT",
    "mr_pd": "PD",
    "mr_rcbf": "MR-rCBF",
    "mr_rcbv": "MR-rCBV",
    "mr_t1": "T1",
    "mr_t1c": "T1ce",
    "mr_t1ce": "T1ce",
    "mr_t1gd": "T1ce",
    "mr_t1w": "T1",
    "mr_t2": "T2",
    "mr_t2w": "T2",
    "mr_tmax": "MR-Tmax",
    "mr_ttp": "MR-TTP",
    "pet_00": "PET",
    "ultrasound_00": "US",
    "x_ray": "X-ray",
}
DICOM = {
    "CT": "CT",
    "MR": "MRI",
    "US": "US",
    "CR": "X-ray",
    "DX": "X-ray",
    "MG": "Mammography",
    "PT": "PET",
    "NM": "NM",
    "XA": "XA",
    "RF": "Fluoroscopy",
    "SM": "Mic",
    "OP": "OP",
    "OPT": "OCT",
    "ES": "End",
    "XC": "DP",
    "GM": "Mic",
    "IO": "Intraoral",
    "PX": "Panoramic",
    "SC": "other",
    "OT": "other",
}
DICOM_NO_WORDS = ("MA", "ST", "BDUS", "CD", "EC", "IVUS", "BMD", "IVOCT", "FA", "CS", "LP", "CP", "DMS", "CFM", "OCT")
COLONOSCOPY = "Colonoscopy"  # Med-MAT's text, against its table


def table(name: str) -> list[dict[str, str]]:
    """The rows of a reference table, or a skip where the tables aren't beside the checkout."""
    if not (REFERENCE / name).is_file():
        pytest.skip(f"reference tables absent: {name} is looked for in ../shared/reference beside the checkout")
    with (REFERENCE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def modality_words(cell: str) -> list[str]:
    """`MR(FLAIR,T1CE)` as "MR FLAIR" and "MR T1CE"; a list as its parts."""
    compound = re.fullmatch(r"(\w+)\((.+)\)", cell)
    if compound:
        return [f"{compound[1]} {word}" for word in compound[2].split(",")]
    return [word.strip() for word in cell.split(",")]


def structure_words(cell: str) -> list[str]:
    """The structures of a MedTrinity cell, without its "etc." and empty parts."""
    words = (word.strip() for word in cell.replace(".etc.", ", etc.").split(","))
    return [word for word in words if word and word != "etc."]


def subset_rows() -> list[tuple[dict[str, str], Triplet]]:
    return [
        (row, Triplet.find(row["modality_code"], row["anatomical_area"], row["task"])) for row in table("medmat_subsets.csv")
    ]


def test_gmai_names_are_38_and_each_has_its_term():
    named = GMAI_NOT_MR + GMAI_MR
    assert len({name for name, _ in named}) == 38
    assert {name: MODALITIES.find(name).code for name, _ in named} == dict(named)
    assert all(MODALITIES.root(code).code == "MRI" for _, code in GMAI_MR)
    assert not any(MODALITIES.is_a(code, "MRI") for _, code in GMAI_NOT_MR)


def test_gmai_names_are_those_of_the_table():
    rows = table("gmai_modalities.csv")
    assert [(row["modality"], row["family"]) for row in rows] == [
        *((name, "") for name, _ in GMAI_NOT_MR),
        *((name, "MR") for name, _ in GMAI_MR),
    ]


def test_medmat_codes_are_roots():
    assert all(MODALITIES[code].parent is None and not MODALITIES[code].ours for code in MEDMAT_MODALITIES)


def test_sa_med2d_kinds_are_34_and_each_has_its_term():
    assert len(SA_MED2D) == 34
    assert {kind: MODALITIES.find(kind).code for kind in SA_MED2D} == SA_MED2D
    assert all(MODALITIES.root(code).code == "MRI" for kind, code in SA_MED2D.items() if kind.startswith("mr_"))
    assert all(MODALITIES.root(code).code == "CT" for kind, code in SA_MED2D.items() if kind.startswith("ct_"))


def test_a_bare_perfusion_map_is_no_word_and_the_message_names_both():
    with pytest.raises(UsageError, match=r"'MR-CBF'.*'CT-CBF'"):
        MODALITIES.find("CBF")


@pytest.mark.parametrize(("word", "code"), [("T1W", "T1"), ("mr t1", "T1"), ("MRI", "MRI"), ("delayed enhancement", "LGE")])
def test_other_words_for_mr(word: str, code: str):
    assert MODALITIES.find(word).code == code


@pytest.mark.parametrize(
    ("code", "ancestor"),
    [
        ("Histopathology", "Mic"),
        ("Fluorescence", "Mic"),
        ("Bone-texture", "X-ray"),
        ("Mammography", "X-ray"),
        ("CTA", "CT"),
        ("CT-Tmax", "CT"),
        ("HBV", "DWI"),
        ("Colonoscopy", "End"),
        ("T1ce", "MRI"),
    ],
)
def test_modalities_stand_under_their_family(code: str, ancestor: str):
    assert MODALITIES.is_a(code, ancestor)


def test_dicom_codes_are_read_and_found_alike():
    assert {code: from_dicom(code).code for code in DICOM} == DICOM
    assert {code: MODALITIES.find(code).code for code in DICOM} == DICOM
    assert from_dicom(" mr ").code == "MRI"
    assert from_dicom("").code == "unspecified"
    assert from_dicom("FA").code == "FFA"


@pytest.mark.parametrize("code", ["SEG", "SR", "RTSTRUCT", "PR", "??"])
def test_a_dicom_code_of_no_image_is_a_fault_of_the_data(code: str):
    with pytest.raises(DataError, match="expected the Modality code of an image") as caught:
        from_dicom(code)
    assert caught.value.code == "unknown-modality"


def test_every_medmat_subset_is_a_triplet_and_none_is_lost():
    rows = subset_rows()
    assert len(rows) == 53
    assert len({made.subset for _, made in rows}) == 53
    assert {made.modality for _, made in rows} == {row["modality_code"] for row, _ in rows} == set(MEDMAT_MODALITIES)
    assert all(MODALITIES.find(row["modality"]).code == made.modality for row, made in rows)


def test_each_printed_task_is_one_term_and_each_term_one_printed_task():
    printed = {(row["task"], made.task) for row, made in subset_rows()}
    assert len(printed) == len({word for word, _ in printed}) == len({code for _, code in printed}) == 50
    assert {code for _, code in printed} == {term.code for term in TASKS if not term.ours}


def test_thirteen_broad_tasks_hold_all_subsets():
    assert len(set(BROAD_TASKS)) == 13
    assert all(TASKS[code].parent is None and TASKS[code].ours for code in BROAD_TASKS)
    assert {TASKS.root(made.task).code for _, made in subset_rows()} == set(BROAD_TASKS)
    assert {term.code for term in TASKS if term.parent is None} == {*BROAD_TASKS, "unlabelled", "other"}


def test_medmat_datasets_named_by_subsets_have_areas_of_the_table():
    areas = {row["anatomical_area"]: made.area for row, made in subset_rows()}
    assert len(areas) == len(set(areas.values())) == 16


def test_every_medtrinity_word_has_its_term():
    rows = table("medtrinity_sources.csv")
    modalities = {word: MODALITIES.find(word).code for row in rows for word in modality_words(row["modality"])}
    structures = {word for row in rows for word in structure_words(row["biological_structures"])}
    assert modalities["Fundus"] == "FP"
    assert modalities["Histopathology"] == "Histopathology"
    assert set(modalities.values()) == {
        *("CT", "Der", "End", "FP", "Histopathology", "MRI", "Mic", "PET", "US", "X-ray"),
    }
    assert {AREAS.find(word).code for word in structures} == {
        *("artery", "bladder", "bones", "brain", "breast", "cell", "cervix", "colon", "eye", "face", "heart", "kidney"),
        *("liver", "lung", "lymph-nodes", "mediastinum", "pancreas", "pelvis", "prostate", "ribs", "skin", "stomach"),
        *("tissue", "vessels"),
    }


def test_every_mimoseg_modality_has_its_term_within_its_family():
    for row in table("mimoseg_sources.csv"):
        family = MODALITIES.find(re.split(r"[(-]", row["modality"])[0].replace("X", "X-ray")).code
        words = modality_words(row["modality"])
        assert {MODALITIES.root(MODALITIES.find(word).code).code for word in words} == {family}


def test_ours_marks_just_the_modalities_and_areas_that_nobody_prints():
    printed = {code for _, code in GMAI_NOT_MR + GMAI_MR} | set(MEDMAT_MODALITIES) | set(SA_MED2D.values())
    printed |= set(DICOM.values()) | {from_dicom(code).code for code in DICOM_NO_WORDS}
    printed |= {MODALITIES.find(COLONOSCOPY).code}
    assert printed - {"other"} == {term.code for term in MODALITIES if not term.ours}
    structures = {
        AREAS.find(word).code
        for row in table("medtrinity_sources.csv")
        for word in structure_words(row["biological_structures"])
    }
    assert structures | {made.area for _, made in subset_rows()} == {term.code for term in AREAS if not term.ours}


def test_honest_members_for_what_nobody_knows():
    assert all({"other", "unspecified"} <= set(vocabulary.codes) for vocabulary in (MODALITIES, AREAS))
    assert {"other", "unlabelled"} <= set(TASKS.codes)
    assert Triplet("other", "unspecified", "unlabelled").subset == "other-unspecified-unlabelled"


@pytest.mark.parametrize(
    "code",
    [
        *("organ-segmentation", "tumour-segmentation", "vessel-segmentation", "nucleus-segmentation", "cell-detection"),
        *("lung-detection", "brain-tumour-detection", "brain-tumour-classification", "image-quality"),
        *("standard-plane", "hippocampus-segmentation", "brain-structure-segmentation", "artefact-recognition"),
        *("red-cell-morphology", "landmark-localization", "polyp-segmentation", "covid-19", "lung-cancer"),
    ],
)
def test_tasks_that_sources_name(code: str):
    assert TASKS.root(code).code in BROAD_TASKS


def test_a_subset_reads_as_its_triplet():
    made = Triplet("CT", "lung", "covid-19")
    assert made.subset == "ct-lung-covid-19"
    assert made == Triplet.find("Computed Tomography", "Pulmonary", "COVID-19 Classification")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (
            ("Computed Tomography", "lung", "covid-19"),
            "modality 'Computed Tomography' is no code; expected its code, 'CT'",
        ),
        (("CT", "lungg", "covid-19"), "area 'lungg' is no code; expected perhaps 'lung'"),
        (("CT", "lung", "covid"), "task 'covid' is no code; expected perhaps 'covid-19'"),
    ],
)
def test_a_triplet_of_unknown_codes_is_refused(words: tuple[str, str, str], fault: str):
    with pytest.raises(UsageError, match=re.escape(fault)):
        Triplet(*words)


def test_no_two_triplets_share_a_subset():
    columns = [[slug(term.code) for term in vocabulary] for vocabulary in (MODALITIES, AREAS, TASKS)]
    subsets = {"-".join(parts) for parts in itertools.product(*columns)}
    assert len(subsets) == len(MODALITIES) * len(AREAS) * len(TASKS)


@pytest.mark.parametrize("vocabulary", [AREAS, TASKS], ids=lambda vocabulary: vocabulary.kind)
def test_codes_of_areas_and_tasks_are_their_own_slugs(vocabulary):
    def odd(term: Term) -> bool:
        return slug(term.code) != term.code

    assert not [term.code for term in vocabulary if odd(term)]
