"""What is wrong with wrong replies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from medloom.schema.question import Kind, Question
from medloom.train.answers.kinds import WrongKind, wrong_kind


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("I can't help with that.", WrongKind.REFUSAL),
        ("", WrongKind.IRRELEVANT),
        (None, WrongKind.IRRELEVANT),
        ("asdf qwer", WrongKind.IRRELEVANT),
        ("lorem ipsum dolor", WrongKind.IRRELEVANT),
        ("tuberculosis", WrongKind.MISREAD),
        ("This is a mammogram.", WrongKind.MISREAD),
        ("[120, 44, 310, 220]", WrongKind.MISREAD),
        ("A", WrongKind.WRONG),
        ("The image shows a lung mass.", WrongKind.WRONG),
        ("A or C", WrongKind.WRONG),
        ("None of the above", WrongKind.WRONG),
        ("B. normal", WrongKind.WRONG),
        ("No pneumonia is seen.", WrongKind.WRONG),
        ("F", WrongKind.MISREAD),
        ("<think>A?</think>The answer is G.", WrongKind.MISREAD),
        ("What does this radiograph show?\nA. normal\nB. pneumonia\nC. lung mass", WrongKind.IRRELEVANT),
    ],
)
def test_of_choices(reply: str | None, kind: WrongKind, choice: Callable[..., Question]):
    assert wrong_kind(reply, choice(["normal", "pneumonia", "lung mass"])) is kind


@pytest.mark.parametrize(
    ("reply", "places", "kind"),
    [
        ("the liver [1, 2, 30, 40]", 1, WrongKind.WRONG),
        ("the liver", 0, WrongKind.MISREAD),
        ("There is no liver here.", 0, WrongKind.WRONG),
        ("I am unable to segment.", 0, WrongKind.IRRELEVANT),
        ("I cannot locate anything.", 0, WrongKind.REFUSAL),
        ("bla bla", 0, WrongKind.IRRELEVANT),
    ],
)
def test_of_places(reply: str, places: int, kind: WrongKind, asked: Callable[..., Question]):
    assert wrong_kind(reply, asked(Kind.GROUNDING, "Segment the liver."), places=places) is kind


@pytest.mark.parametrize(
    ("reply", "places", "kind"),
    [
        ("An MRI of the brain.", 0, WrongKind.MISREAD),
        ("A CT slice with a normal liver.", 0, WrongKind.WRONG),
        ("The spleen is enlarged.", 0, WrongKind.WRONG),
        ("[1, 2, 30, 40]", 1, WrongKind.MISREAD),
        ("[1, 2, 30, 40]", 0, WrongKind.MISREAD),
        ("I can't see the image.", 0, WrongKind.REFUSAL),
        ("bla bla", 0, WrongKind.IRRELEVANT),
    ],
)
def test_of_descriptions(reply: str, places: int, kind: WrongKind, asked: Callable[..., Question]):
    assert wrong_kind(reply, asked(Kind.DESCRIPTION, "Describe this CT slice."), places=places) is kind
