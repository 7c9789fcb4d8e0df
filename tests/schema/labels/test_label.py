"""Labels as sources state them: canonical names and ids, sides, and words that contradict the table."""

from __future__ import annotations

import pytest

from medloom.schema.errors import UsageError
from medloom.schema.labels import LATERALITIES, Label


@pytest.mark.parametrize("word", ["red blood cell", "RBC", "Erythrocyte", "red-blood_cell", "Erythrocytes", "D004912"])
def test_every_word_of_the_table_becomes_the_canonical_name(word: str):
    label = Label(word)
    assert (label.name, label.mesh, label.id) == ("red blood cell", "D004912", "mesh:D004912")
    assert label == Label("red blood cell") == Label("red blood cell", mesh="D004912")


@pytest.mark.parametrize(
    ("name", "label_id"), [("White Cell (other)", "medloom:white-cell-other"), ("naïve  cell", "medloom:naive-cell")]
)
def test_a_users_own_label_is_its_own_slug(name: str, label_id: str):
    assert (Label(name).name, Label(name).id, Label(name).entry) == (name, label_id, None)


def test_a_users_own_label_may_state_a_descriptor():
    assert Label("skin ulcer", mesh="D012883").id == "mesh:D012883"


def test_a_child_that_shares_its_parents_descriptor_has_an_id_of_ours():
    tumor, cancer = Label("lung tumor"), Label("lung cancer")
    assert (tumor.mesh, tumor.id) == ("D008175", "mesh:D008175")
    assert (cancer.mesh, cancer.id) == ("D008175", "medloom:lung-cancer")


@pytest.mark.parametrize("side", [None, *LATERALITIES])
def test_sides_are_kept(side: str | None):
    assert Label("kidney", laterality=side).laterality == side


@pytest.mark.parametrize("word", ["Left Lung", "lung_left", "left-lung", "Lung left"])
def test_a_side_in_a_word_of_the_table_is_split_off(word: str):
    assert Label(word) == Label(word, laterality="left") == Label("lung", laterality="left")


def test_a_side_in_an_alias_is_split_off_too():
    assert Label("right ventricle") == Label("heart ventricle", laterality="right")


@pytest.mark.parametrize("word", ["left", "left thingamajig", "thing left behind", "left and right lung"])
def test_a_side_in_a_users_own_word_stays(word: str):
    assert (Label(word).name, Label(word).laterality) == (word, None)


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("x", {"laterality": "upper"}, r"'x'.*laterality 'upper'.*left"),
        ("x", {"area": "no such area"}, r"'x': 'no such area' is no code of .*area"),
        ("x", {"task": "no such task"}, r"'x': 'no such task' is no code of .*task"),
        ("x", {"clinical_task": "no such task"}, r"clinical task 'no such task' is unknown"),
        ("x", {"departments": ("no such house",)}, r"department 'no such house' is unknown"),
        ("x", {"departments": "Hematology"}, r"'x': departments 'Hematology'; expected a tuple"),
        ("x", {"mesh": "4912"}, r"'x': mesh '4912'; expected a descriptor id such as D004912"),
        ("x", {"mesh": "D004912"}, r"'x': D004912 is the descriptor of 'red blood cell'; .*use that name"),
        ("RBC", {"mesh": "D007962"}, r"'RBC': mesh 'D007962'; expected 'D004912'.*'red blood cell'; leave it out"),
        ("macrocyte", {"mesh": "D004912"}, r"'macrocyte': mesh 'D004912'; expected None"),
        ("left lung", {"laterality": "right"}, r"'left lung': laterality 'right'; expected 'left'"),
    ],
)
def test_a_word_that_contradicts_is_refused(name: str, more: dict, message: str):
    with pytest.raises(UsageError, match=message):
        Label(name, **more)


def test_full_names_and_codes_are_taken():
    label = Label("cell", area="cell", task="unlabelled", departments=("Hematology",), clinical_task="Cell Recognition")
    assert (label.area, label.departments) == ("cell", ("Hematology",))
