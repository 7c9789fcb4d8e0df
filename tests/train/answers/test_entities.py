"""Names with places: inline, after, in lists, asked for, and unknown to any table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.question import Kind, Question
from medloom.train.answers.entities import read_entities
from medloom.train.coordinates import DIALECTS
from medloom.train.coordinates.place import Frame, Place

FRAME = Frame.of((1000, 1000))
LUNG, HEART, CELL = "mesh:D008168", "mesh:D006321", "mesh:D004912"


def read(text: str, question: Question, dialect: str = "thousandths") -> list[tuple[str, str | None, str | None, int]]:
    found = read_entities(text, question, DIALECTS[dialect], FRAME)
    return [(one.name, one.label_id, one.side, len(one.places)) for one in found]


@pytest.fixture
def several(asked: Callable[..., Question]) -> Question:
    return asked(Kind.GROUNDING, "Segment the left lung and the heart on this CT slice.")


@pytest.fixture
def cells(asked: Callable[..., Question]) -> Question:
    return asked(Kind.DETECTION, "Detect every red blood cell on this smear: how many, and in which boxes?")


def test_the_name_before_a_place_is_its_name(several: Question):
    text = "Here are the left lung [1, 2, 30, 40] and the heart [50, 60, 70, 80]."
    assert read(text, several) == [("left lung", LUNG, "left", 1), ("heart", HEART, None, 1)]


def test_joined_places_share_a_name_and_sides_stay_apart(several: Question):
    text = "the right lung at [1, 2, 30, 40], [2, 3, 50, 60] and the left lung at [5, 6, 70, 80]"
    assert read(text, several) == [("right lung", LUNG, "right", 2), ("left lung", LUNG, "left", 1)]


def test_a_name_may_follow_its_place(several: Question):
    text = "[1, 2, 30, 40] is the left lung. [5, 6, 70, 80] is the heart."
    assert read(text, several) == [("left lung", LUNG, "left", 1), ("heart", HEART, None, 1)]


def test_a_bare_list_answers_for_the_one_name_that_is_asked_for(cells: Question, several: Question):
    for text in ("[1, 2, 30, 40], [5, 6, 70, 80]", "There are 2: [1, 2, 30, 40], [5, 6, 70, 80]."):
        assert read(text, cells) == [("red blood cell", CELL, None, 2)]
    assert read("[1, 2, 30, 40], [5, 6, 70, 80]", several) == [("", None, None, 2)]


def test_a_bare_list_after_a_sentence_belongs_to_its_name(several: Question):
    assert read("Here is the heart.\n[1, 2, 30, 40]", several) == [("heart", HEART, None, 1)]


def test_synonyms_mean_the_label(cells: Question):
    assert read("erythrocytes: [1, 2, 30, 40]; red blood cell [5, 6, 70, 80]", cells) == [("erythrocytes", CELL, None, 2)]


def test_words_that_no_table_knows_are_kept(several: Question):
    text = "The left lung [1, 2, 30, 40] and a flurbit gland [3, 4, 50, 60]."
    assert read(text, several) == [("left lung", LUNG, "left", 1), ("a flurbit gland", None, None, 1)]


def test_thinking_places_nothing(several: Question):
    assert read("<think>the heart [1, 2, 30, 40]</think>I can't find it.", several) == []
    assert read_entities(None, several, DIALECTS["thousandths"], FRAME) == []


@given(st.sampled_from(sorted(DIALECTS)), st.lists(st.integers(0, 8), min_size=1, max_size=4, unique=True))
def test_what_a_dialect_writes_comes_back_by_name(dialect: str, corners: list[int]):
    names = ("liver", "spleen", "left kidney", "heart")
    way = DIALECTS[dialect]
    question = Question(
        id="q-0000000000000000", kind=Kind.GROUNDING, question="Segment what you see.", granularity="mask",
        **dict.fromkeys(("key", "split", "suite", "rule", "source", "modality", "area", "task", "subset"), "x"),
        **dict.fromkeys(("clinical_task", "department"), "x"),
    )  # fmt: skip
    places = {
        name: Place("box", name, (100.0 * at, 100.0, 100.0 * at + 100, 300.0)) for name, at in zip(names, corners, strict=False)
    }
    if way.inline and not way.marks_words:
        text = " and ".join(f"the {name} {way.write([place], FRAME)}" for name, place in places.items())
    else:
        text = way.write(list(places.values()), FRAME)
    found = read_entities(text, question, way, FRAME)
    assert [(f"{one.name}", len(one.places)) for one in found] == [(name, 1) for name in places]
