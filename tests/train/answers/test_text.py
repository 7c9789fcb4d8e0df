"""Replies in words: closed, open, and numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.train.answers.count import read_count
from medloom.train.answers.status import Status
from medloom.train.answers.text import normal, read_closed, read_open, tokens
from medloom.train.coordinates import DIALECTS
from medloom.train.coordinates.place import Frame, Place

PLANES = ("axial", "coronal", "sagittal")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Left Lung.", "left lung"),
        ("three lesions", "3 lesions"),
        ("1,200 cells", "1200 cells"),
        ("1.5 T", "1.5 t"),
        ("50%", "50%"),
        ("HER2+ / ER-", "her2 + er -"),
        ("Crohn\u2019s disease", "crohn's disease"),
        ("Ｘ-ray", "x ray"),
        ("a", "a"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_texts_have_one_form(text: str, expected: str):
    assert normal(text) == expected


@given(st.text())
def test_the_form_of_a_form_is_itself_and_case_plays_no_part(text: str):
    assert tokens(text) == tokens(f" {text}\n")
    assert all(one == one.casefold() for one in tokens(text))


@pytest.mark.parametrize(
    ("reply", "said", "rule"),
    [
        ("Yes", "yes", "word"),
        ("no.", "no", "word"),
        ("Answer: No", "no", "word"),
        ("The answer is yes.", "yes", "word"),
        ("<think>no</think>Yes", "yes", "word"),
        ("<answer>yes</answer>", "yes", "word"),
        ('{"answer": "no"}', "no", "word"),
        ("Yes, there is a nodule.", "yes", "first-word"),
        ("No, there is none.", "no", "first-word"),
        ("True", "yes", "first-word"),
        ("是的", "yes", "first-word"),
        ("There is no fracture.", "no", "denial"),
        ("I don't see any fracture.", "no", "denial"),
        ("It is not visible.", "no", "denial"),
        ("The fracture is present.", "yes", "assertion"),
        ("There's a fracture.", "yes", "assertion"),
        ("No doubt, yes", "yes", "contained-word"),
    ],
)
def test_yes_and_no_are_read(reply: str, said: str, rule: str):
    found = read_closed(reply)
    assert (found.text, found.rule, found.status) == (said, rule, Status.ANSWERED)


@pytest.mark.parametrize(
    ("reply", "rule", "status"),
    [
        ("Yes and no", "several", Status.UNPARSED),
        ("yes or no", "several", Status.UNPARSED),
        ("A chest radiograph.", "nothing-read", Status.UNPARSED),
        ("Not sure", "refusal", Status.REFUSED),
        ("I cannot tell.", "refusal", Status.REFUSED),
        ("", "no-text", Status.EMPTY),
        ("<think>yes", "only-reasoning", Status.EMPTY),
        (None, "no-reply", Status.FAILED),
    ],
)
def test_what_says_neither_yes_nor_no_is_neither(reply: str | None, rule: str, status: Status):
    found = read_closed(reply)
    assert (found.text, found.rule, found.status) == ("", rule, status)


def test_closed_words_other_than_yes_and_no():
    assert read_closed("Axial.", words=PLANES).text == "axial"
    assert read_closed("It is the coronal plane.", words=PLANES).rule == "contained-word"
    assert read_closed("coronal or axial", words=PLANES).rule == "several"
    assert read_closed("There is no telling", words=PLANES).text == ""


def test_open_answers_keep_their_words():
    assert read_open("**Answer:** the left lung").text == "the left lung"
    assert read_open("I cannot determine this.").status is Status.REFUSED
    assert read_open("I can't be sure, but it is the liver").status is Status.ANSWERED
    assert read_open("...").status is Status.UNPARSED
    assert read_open("").status is Status.EMPTY
    assert read_open(None).status is Status.FAILED


@pytest.mark.parametrize(
    ("reply", "number", "rule"),
    [
        ("3", 3, "only-number"),
        ("Two.", 2, "only-number"),
        ("Answer: 7", 7, "only-number"),
        ("There are three.", 3, "stated"),
        ("There are 12 red blood cells on this smear.", 12, "stated"),
        ("A total of five red blood cells are visible.", 5, "stated"),
        ("Number of cells: 7", 7, "stated"),
        ("I count 12.", 12, "stated"),
        ("There is one lesion of 5 mm in size.", 1, "stated"),
        ("There is no nodule.", 0, "stated"),
        ("3 boxes", 3, "counted"),
        ("Two white blood cells can be outlined.", 2, "counted"),
        ("a single nodule", 1, "counted"),
        ("No red blood cell can be seen.", 0, "none"),
        ("None", 0, "none"),
    ],
)
def test_stated_numbers_are_read(reply: str, number: int, rule: str):
    found = read_count(reply)
    assert (found.number, found.rule, found.status) == (number, rule, Status.ANSWERED)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("There are 2 on the left. There are 3 on the right.", Status.UNPARSED),
        ("a grade 3 tumor", Status.UNPARSED),
        ("About 20 % of the image.", Status.UNPARSED),
        ("I cannot say.", Status.REFUSED),
        ("", Status.EMPTY),
        (None, Status.FAILED),
    ],
)
def test_other_numbers_are_no_count(reply: str | None, status: Status):
    found = read_count(reply)
    assert (found.number, found.status) == (None, status)


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("stated", [0, 2, 5])
def test_numbers_of_places_never_count(name: str, stated: int):
    frame = Frame.of((480, 640))
    written = DIALECTS[name].write(
        [Place("box", "nodule", (10, 20, 200, 220)), Place("box", "nodule", (300, 20, 400, 220))], frame
    )
    assert read_count(f"There are {stated}: {written}", dialect=DIALECTS[name], frame=frame).number == stated
    assert read_count(written, dialect=DIALECTS[name], frame=frame).number is None
