"""What `medloom words` finds: exact terms first, in every vocabulary, each with its counterparts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medloom.cli import app
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table
from medloom.schema.systems import medmat
from medloom.schema.systems.mapping import SYSTEMS, VOCABULARIES
from medloom.schema.systems.words import CLOSE, EXACT, PART, selecting, words


@pytest.mark.parametrize("field", VOCABULARIES)
def test_every_word_of_every_vocabulary_finds_its_term_exactly(field: str):
    for term in VOCABULARIES[field]:
        found = {(one.field, one.code) for one in words(term.words[-1], most=0) if one.how == EXACT}
        assert (field, term.code) in found


def test_every_subset_dataset_and_label_finds_itself_exactly():
    for one in medmat.SUBSETS:
        assert ("subset", one.number) in {(hit.field, hit.code) for hit in words(one.name, most=0)}
    for one in medmat.DATASETS[::9]:
        assert ("dataset", str(one.number)) in {(hit.field, hit.code) for hit in words(one.name, most=0)}
    for entry in list(table())[::9]:
        assert ("label", entry.name) in {(hit.field, hit.code) for hit in words(entry.words[-1], most=0)}


def test_a_word_that_means_several_things_finds_them_all():
    found = words("MR", most=0)
    assert [(one.field, one.code, one.how) for one in found] == [
        ("modality", "MRI", EXACT),
        ("clinical_task", "MR", EXACT),
    ]
    assert found[0].counterparts["gmai"].words == ("MRI",)


def test_exact_finds_stand_first_then_parts_then_spellings():
    found = words("lung", most=30)
    order = [(EXACT, PART, CLOSE).index(one.how) for one in found]
    assert order == sorted(order)
    assert (found[0].field, found[0].code) == ("area", "lung")
    assert {"lung-cancer", "lung-segmentation"} <= {one.code for one in found if one.field == "task"}
    assert len(words("lung", most=3)) < len(found)
    assert [one.how for one in words("retinaa", most=1)] == [CLOSE]


def test_every_find_has_a_counterpart_in_each_system_and_an_option():
    for text in ("lung", "T1Gd", "Med-MAT 45", "kvasir seg", "vertebrae", "none", "box"):
        for one in words(text):
            assert list(one.counterparts) == list(SYSTEMS)
            assert (selecting(one) == "") == (one.field == "dataset")


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("T1Gd", "--modality T1ce"),
        ("Disease Diagnosis", '--clinical-task "Disease Diagnosis"'),
        ("PM", '--department "Pulmonary Medicine"'),
        ("Med-MAT 03", "--subset ct-lung-covid-19"),
        ("Med-MAT gastral", "--area stomach"),
    ],
)
def test_the_option_that_selects_it(text: str, option: str):
    assert option in [selecting(one) for one in words(text, most=0)]


def test_a_dataset_names_its_subset_and_a_missing_one_ours():
    assert words("RIM-ONE DL", most=0)[0].counterparts["medmat"].words == ("Med-MAT 52",)
    left_out = words("LC25000", most=0)[0].counterparts["medmat"]
    assert left_out.words == ("Med-MAT 18",)
    assert left_out.ours


def test_labels_say_their_clinical_task_and_what_mimoseg_prints():
    found = next(one for one in words("lung", most=0) if one.field == "label")
    assert {"Lung", "Left Lung", "Right Lung"} <= set(found.counterparts["mimoseg"].words)
    assert found.counterparts["gmai"].words[0] == "Organ Recognition - Thorax"


@pytest.mark.parametrize(("text", "fault"), [("  -", "says nothing"), ("qqqqqqqq", "is like no word of any vocabulary")])
def test_what_is_like_nothing_is_refused(text: str, fault: str):
    with pytest.raises(UsageError, match=fault):
        words(text)


def test_the_verb_prints_a_table_reasons_and_json():
    shown = CliRunner().invoke(app, ["words", "Med-MAT Bones", "--why"])
    assert shown.exit_code == 0
    assert "--area bones" in shown.stdout
    assert "our reading" in shown.stdout
    printed = json.loads(CliRunner().invoke(app, ["words", "T1Gd", "--json", "--most", "0"]).stdout)
    assert [(one["field"], one["code"], one["select"]) for one in printed] == [("modality", "T1ce", "--modality T1ce")]
    assert printed[0]["counterparts"]["gmai"] == {
        "words": ["T1Gd", "T1ce", "Gadolinium"],
        "relation": "same",
        "ours": True,
        "reason": "T1Gd and Gadolinium read as Contrast-enhanced T1-weighted MRI",
    }
