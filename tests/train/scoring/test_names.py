"""Which names mean the same thing."""

from __future__ import annotations

import pytest

from medloom.train.scoring.names import name_of, told, true_name

POLYP = true_name("colonic polyp", "mesh:D003111", None)
LEFT_KIDNEY = true_name("kidney", "mesh:D007668", "left")
OWN = true_name("blue spot", "mine:blue-spot", None)


@pytest.mark.parametrize(
    ("words", "true"),
    [
        ("the colonic polyps", POLYP),
        ("Colorectal polyp.", POLYP),
        ("kidney", LEFT_KIDNEY),
        ("left kidney", LEFT_KIDNEY),
        ("a Blue Spot", OWN),
        ("blue spots", OWN),
    ],
)
def test_another_word_for_it_is_right(words: str, true):
    assert name_of(words).means(true)
    assert true.means(name_of(words))


@pytest.mark.parametrize(
    ("words", "true"),
    [("right kidney", LEFT_KIDNEY), ("polyp of the skin", POLYP), ("", POLYP), (None, OWN), ("liver", POLYP), ("spot", OWN)],
)
def test_another_side_or_thing_is_wrong(words: str | None, true):
    assert not name_of(words).means(true)


def test_a_wider_label_is_another_one():
    assert not name_of("intestinal polyp").means(POLYP)


def test_nothing_named_is_not_even_itself():
    assert not name_of("").means(name_of(""))


def test_what_a_text_says_is_there():
    assert told("Marked here: a colorectal polyp; it can turn into cancer.", [POLYP]) == 1.0
    assert told("There is no colonic polyp.", [POLYP]) == 0.0
    assert told("A liver and blue spots.", [POLYP, OWN]) == 0.5
    assert told("", [POLYP]) == 0.0
    assert told("anything", []) == 1.0
