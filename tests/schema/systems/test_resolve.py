"""Any system's word becomes codes, and a word that nobody has is refused with what comes close."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import UsageError
from medloom.schema.systems import gmai, medmat, medtrinity, mimoseg
from medloom.schema.systems.resolve import by_system, codes, is_subset, understood
from medloom.schema.triplet import AREAS, MODALITIES, TASKS, Triplet

FIELDS = ("modality", "area", "task", "clinical_task", "department", "subset")
VALUES = {
    "modality": set(MODALITIES.codes),
    "area": set(AREAS.codes),
    "task": set(TASKS.codes),
    "clinical_task": {term.name for term in CLINICAL_TASKS},
    "department": {term.name for term in DEPARTMENTS},
    "subset": {one.slug for one in medmat.SUBSETS},
}
WITHOUT: dict[str, set[str]] = {
    **{field: set() for field in FIELDS},
    "task": {"C", "MR", "N/A"},
    "clinical_task": {"landmark-localization", "unlabelled", "other"},
}
"""Codes of words that are understood and have no counterpart."""


def refusal(field: str, word: str) -> str:
    """Why a word is refused; empty where it isn't."""
    try:
        codes(field, word)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("field", FIELDS)
def test_every_word_understood_gives_values_of_its_field_or_says_why_not(field: str):
    refused = {word: reason for word in understood(field) if (reason := refusal(field, word))}
    assert all("serves no clinical task of GMAI: " in reason or "has no task: " in reason for reason in refused.values())
    vocabulary = {"task": CLINICAL_TASKS, "clinical_task": TASKS}.get(field)
    assert {vocabulary.find(word).code for word in refused if vocabulary} == WITHOUT[field]
    for word in set(understood(field)) - set(refused):
        found = codes(field, word)
        assert found, word
        assert found <= VALUES[field], word


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("modality", (*medmat.MODALITY_CODES, *gmai.MODALITY_NAMES, *medtrinity.MODALITY_WORDS, *mimoseg.MODALITY_WORDS)),
        ("area", (*medmat.AREAS, *medtrinity.STRUCTURE_WORDS)),
        ("task", medmat.TASK_NAMES),
        ("clinical_task", medmat.TASK_NAMES),
        ("clinical_task", tuple(term.name for term in CLINICAL_TASKS)),
        ("subset", tuple(one.name for one in medmat.SUBSETS)),
    ],
)
def test_every_word_that_a_system_prints_is_understood(field: str, words: tuple[str, ...]):
    assert all(codes(field, word) for word in words)


@pytest.mark.parametrize("vocabulary", [MODALITIES, AREAS, TASKS], ids=lambda vocabulary: vocabulary.kind)
def test_a_wide_word_holds_all_below_it(vocabulary):
    for term in vocabulary:
        assert codes(vocabulary.kind, term.code) == {term.code, *(one.code for one in vocabulary.descendants(term.code))}


@pytest.mark.parametrize(
    ("field", "word", "found"),
    [
        ("clinical_task", "DD", {"Disease Diagnosis"}),
        ("clinical_task", "quality-assessment", {"Image Quality Grading", "Attribute Recognition"}),
        ("clinical_task", "Med-MAT Blindness Level", {"Severity Grading"}),
        ("task", "Blood Vessels Recognition", None),
        ("task", "SAR", {"surgical-workflow", "surgical-scene"}),
        ("task", "none", {"unlabelled"}),
        ("department", "pm", {"Pulmonary Medicine"}),
        ("department", "None (Attributes that do not belong to any department)", {"None"}),
        ("department", "GMAI-MMBench PM", {"Pulmonary Medicine"}),
        ("subset", "Med-MAT 03", {"ct-lung-covid-19"}),
        ("subset", "03", {"ct-lung-covid-19"}),
        ("subset", "medmat:3", {"ct-lung-covid-19"}),
        ("subset", "MRI-hippocampus-hippocampus-segmentation", {"mri-hippocampus-hippocampus-segmentation"}),
        ("modality", "gmai:DE", {"LGE"}),
        ("modality", "mimo:CT", None),
        ("area", "MedTrinity-25M gastral", {"stomach"}),
    ],
)
def test_words_of_the_systems(field: str, word: str, found: set[str] | None):
    expected = {
        "Blood Vessels Recognition": codes("task", "BVR"),
        "mimo:CT": codes("modality", "CT"),
    }
    assert codes(field, word) == (expected[word] if found is None else found)


def test_a_system_reads_its_word_more_widely_than_our_tree():
    assert codes("area", "Bones") == {"bones", "ribs"}
    assert codes("area", "Med-MAT Bones") > {"bones", "ribs", "knee", "spine"}
    assert "organ-segmentation" in codes("task", "GMAI Bone")
    assert by_system("Med-MAT Bones") == ("medmat", "Bones")
    assert by_system("Bones") == (None, "Bones")


@given(st.sampled_from(MODALITIES.codes), st.sampled_from(AREAS.codes), st.sampled_from(TASKS.codes))
def test_every_subset_of_ours_is_passed_through(modality: str, area: str, task: str):
    name = Triplet(modality, area, task).subset
    assert is_subset(name)
    assert codes("subset", name) == {name}


@given(st.text(max_size=40))
def test_any_text_is_answered_or_refused(text: str):
    for field in FIELDS:
        assert refusal(field, text) or codes(field, text)


@pytest.mark.parametrize(
    ("field", "word", "fault"),
    [
        ("modality", "MRJ scan", "modality 'MRJ scan' is unknown; expected perhaps 'MR cine' or 'CT scan'"),
        ("modality", "zzzz", "expected one of Co, CT, Der"),
        ("area", "Med-MAT bonez", "expected perhaps 'bone' or 'Bones'"),
        ("task", "Counting", "clinical task 'Counting' has no task: counting is asked over what is already"),
        ("clinical_task", "unlabelled", "task 'unlabelled' serves no clinical task of GMAI: nothing is asked"),
        ("clinical_task", "Disease Diagnosys", "expected perhaps 'Disease Diagnosis'"),
        ("department", "pulmonry medicine", "department 'pulmonry medicine' is unknown; expected perhaps 'Pulmonary Medicine'"),
        ("subset", "ct-lung", "subset 'ct-lung' is unknown"),
        ("subset", "54", "a slug such as ct-lung-covid-19, or a Med-MAT number"),
        ("label", "liver", "field 'label'; expected one of modality"),
    ],
)
def test_what_is_unknown_is_refused_with_what_comes_close(field: str, word: str, fault: str):
    with pytest.raises(UsageError, match=re.escape(fault)):
        codes(field, word)


def test_words_of_an_unknown_field_are_refused():
    with pytest.raises(UsageError, match="field 'label'; expected one of modality"):
        understood("label")
