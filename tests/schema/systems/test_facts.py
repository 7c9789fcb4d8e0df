"""The facts of the four systems are those that the papers print, flaws included, and add up as the papers say."""

from __future__ import annotations

from collections import Counter

import pytest

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import UsageError
from medloom.schema.granularity import GRANULARITIES
from medloom.schema.systems import gmai, medmat, medtrinity, mimoseg
from medloom.schema.triplet import AREAS, BROAD_TASKS, MODALITIES, Triplet


def test_medmat_subsets_are_those_of_the_table(reference):
    for row, made in zip(reference("medmat_subsets.csv"), medmat.SUBSETS, strict=True):
        assert (made.number, made.modality_code, made.modality) == (row["subset"], row["modality_code"], row["modality"])
        assert (made.area, made.task, made.kind) == (row["anatomical_area"], row["task"], row["kind"])
        assert (made.distribution or "") == row["distribution"]
        assert " ".join(map(str, made.datasets)) == row["dataset_numbers"]


def test_medmat_datasets_are_those_of_the_table(reference):
    rows = reference("medmat_datasets.csv")
    assert [(str(one.number), one.name) for one in medmat.DATASETS] == [(row["number"], row["name"].strip()) for row in rows]


def test_medmat_counts_and_flaws():
    assert [one.number for one in medmat.SUBSETS] == [f"{number:02d}" for number in range(1, 54)]
    assert (len(medmat.AREAS), len(medmat.MODALITY_CODES), len(medmat.TASK_NAMES)) == (16, 11, 50)
    assert [one.number for one in medmat.DATASETS] == list(range(1, 110))
    used = Counter(number for one in medmat.SUBSETS for number in one.datasets)
    assert {number: times for number, times in used.items() if times > 1} == {44: 2}
    assert set(range(1, 110)) - set(used) == {43, 64, 83} == set(medmat.LEFT_OUT)
    assert {one.kind for one in medmat.SUBSETS} == {"classification", "detection;segmentation", "detection", "segmentation"}
    assert all((one.kind == "classification") == (one.distribution in ("ID", "OOD")) for one in medmat.SUBSETS)
    assert Counter(one.distribution for one in medmat.SUBSETS) == {"ID": 25, "OOD": 12, None: 16}


def test_every_subset_has_its_own_triplet_and_a_broad_task():
    assert len({one.slug for one in medmat.SUBSETS}) == 53
    assert {one.broad_task.code for one in medmat.SUBSETS} == set(BROAD_TASKS)
    assert all(one.broad_task.ours for one in medmat.SUBSETS)


@pytest.mark.parametrize(
    "word", ["03", "3", "Med-MAT 03", "Med-MAT 3", "medmat:3", "subset 03", "Subset--03", "ct-lung-covid-19"]
)
def test_a_subset_is_found_by_number_and_slug(word: str):
    assert medmat.find(word).datasets == (3, 4, 6)


@pytest.mark.parametrize(
    ("word", "fault"), [("54", "a number from 01 to 53"), ("ct-lung-covid-91", "perhaps ct-lung-covid-19")]
)
def test_an_unknown_subset_is_refused(word: str, fault: str):
    with pytest.raises(UsageError, match=fault):
        medmat.find(word)


def test_a_triplet_belongs_to_the_subsets_that_hold_it():
    assert [one.number for one in medmat.of_triplet(Triplet("CT", "lung", "covid-19"))] == ["03"]
    assert [one.number for one in medmat.of_triplet(Triplet("CTA", "lung", "covid-19"))] == ["03"]
    assert [one.number for one in medmat.of_triplet(Triplet("Colonoscopy", "colon", "polyp-segmentation"))] == ["39"]
    assert medmat.of_triplet(Triplet("US", "lung", "covid-19")) == ()
    assert all(one in medmat.of_triplet(one.triplet) for one in medmat.SUBSETS)


def test_a_dataset_is_found_by_name_and_number():
    assert [one.number for one in medmat.find_dataset("busi")] == [48, 97]
    assert medmat.find_dataset("44")[0].subsets == ("18", "22")
    assert medmat.find_dataset("kvasir seg")[0].subsets == ("39",)
    with pytest.raises(UsageError, match="perhaps Kvasir-SEG"):
        medmat.find_dataset("kvasir-segm")


def test_gmai_names_and_counts_are_those_of_the_tables(reference):
    assert [row["modality"] for row in reference("gmai_modalities.csv")] == list(gmai.MODALITY_NAMES)
    tables = (
        ("gmai_clinical_tasks.csv", "code", gmai.CLINICAL_TASK_COUNTS),
        ("gmai_granularities.csv", "granularity", gmai.GRANULARITY_COUNTS),
    )
    for name, key, counts in tables:
        assert {row[key]: (int(row["labels"]), int(row["cases"])) for row in reference(name)} == counts


def test_gmai_counts_add_up_as_the_paper_says():
    assert (len(gmai.MODALITY_NAMES), len(set(gmai.MODALITY_CODES.values()))) == (38, 33)
    assert set(gmai.CLINICAL_TASK_COUNTS) == {term.code for term in CLINICAL_TASKS if not term.ours}
    assert set(gmai.DEPARTMENT_COUNTS) == set(DEPARTMENTS.codes)
    assert set(gmai.GRANULARITY_COUNTS) == {term.code for term in GRANULARITIES if not term.ours}
    for counts in (gmai.CLINICAL_TASK_COUNTS, gmai.DEPARTMENT_COUNTS):
        assert (sum(one.labels for one in counts.values()), sum(one.cases for one in counts.values())) == (721, 20_244)
    assert sum(one.cases for one in gmai.GRANULARITY_COUNTS.values()) == 25_831


def test_medtrinity_sources_are_those_of_the_table(reference):
    for row, made in zip(reference("medtrinity_sources.csv"), medtrinity.SOURCES, strict=True):
        assert (made.dataset, str(made.quantity)) == (row["dataset"], row["quantity"])
        assert ", ".join(made.modalities) == row["modality"]
        assert all(word in row["biological_structures"] for word in made.structures)
        assert made.open_ended == row["biological_structures"].endswith("etc.")
        flags = [row[name] == "yes" for name in ("text", "disease_type", "bbox", "mask")]
        assert [made.text, made.disease_type, made.box, made.mask] == flags


def test_medtrinity_sums_and_words():
    assert len(medtrinity.SOURCES) == len({one.dataset for one in medtrinity.SOURCES}) == 76
    assert sum(one.quantity for one in medtrinity.SOURCES) == 25_011_312
    assert len(medtrinity.MODALITY_WORDS) == 10
    assert all(code in MODALITIES for one in medtrinity.SOURCES for code in one.modality_codes)
    assert all(one.area_codes and set(one.area_codes) <= set(AREAS.codes) for one in medtrinity.SOURCES)
    assert {code for one in medtrinity.SOURCES for code in one.area_codes} == set(medtrinity.STRUCTURE_AREAS.values())
    assert set(medtrinity.DOUBTFUL) <= {one.dataset for one in medtrinity.SOURCES}


def test_mimoseg_sources_are_those_of_the_table(reference):
    for row, made in zip(reference("mimoseg_sources.csv"), mimoseg.SOURCES, strict=True):
        assert (made.dataset, made.modality) == (row["dataset"], row["modality"])
        assert [str(made.images), str(made.masks)] == [row["images"], row["masks"]]
        assert all(word in row["labels"] for word in made.labels)
        assert made.open_ended == row["labels"].endswith("etc.")
        assert set(made.perspectives) == {number for number in range(1, 5) if row[f"perspective_{number}"] == "yes"}


def test_mimoseg_perspectives_and_words():
    assert len(mimoseg.SOURCES) == 62
    assert sum(one.pairs for one in mimoseg.PERSPECTIVES) == 872_590
    assert [one.numeral for one in mimoseg.PERSPECTIVES] == ["I", "II", "III", "IV"]
    assert all(set(one.needs + one.prompts) <= set(GRANULARITIES.codes) for one in mimoseg.PERSPECTIVES)
    assert all(one.perspectives and one.labels and one.modality_codes for one in mimoseg.SOURCES)
    assert next(one for one in mimoseg.SOURCES if one.modality == "MR(FLAIR,T1CE)").modality_codes == ("FLAIR", "T1ce")
