"""Canonical labels: ids, and words that no vocabulary has."""

from __future__ import annotations

import pytest

from medloom.schema.errors import UsageError
from medloom.schema.labels import LATERALITIES, Label


def test_a_mesh_descriptor_is_the_id():
    assert Label("red blood cell", mesh="D004912").id == "mesh:D004912"


@pytest.mark.parametrize(
    ("name", "label_id"), [("White Cell (other)", "medloom:white-cell-other"), ("naïve  cell", "medloom:naive-cell")]
)
def test_a_label_without_mesh_is_its_own_slug(name: str, label_id: str):
    assert Label(name).id == label_id


@pytest.mark.parametrize("side", [None, *LATERALITIES])
def test_sides_are_kept(side: str | None):
    assert Label("kidney", laterality=side).laterality == side


@pytest.mark.parametrize(
    ("field", "word", "message"),
    [
        ("laterality", "upper", r"'x'.*laterality 'upper'.*left"),
        ("area", "no such area", r"'x': 'no such area' is no code of .*area"),
        ("task", "no such task", r"'x': 'no such task' is no code of .*task"),
        ("clinical_task", "no such task", r"clinical task 'no such task' is unknown"),
        ("departments", ("no such house",), r"department 'no such house' is unknown"),
    ],
)
def test_a_word_that_no_vocabulary_has_is_refused(field: str, word: object, message: str):
    with pytest.raises(UsageError, match=message):
        Label("x", **{field: word})


def test_full_names_and_codes_are_taken():
    label = Label("cell", area="cell", task="unlabelled", departments=("Hematology",), clinical_task="Cell Recognition")
    assert (label.area, label.departments) == ("cell", ("Hematology",))
