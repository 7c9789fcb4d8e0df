"""Rewards are 1 for the right answer in every dialect, 0 for what says nothing, and between for what is partly right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.errors import UsageError
from medloom.schema.question import Kind, Option, Question
from medloom.train.asked import Asked, ReleaseAsked
from medloom.train.conversation import Style
from medloom.train.coordinates import DIALECTS
from medloom.train.coordinates.place import Frame, Place
from medloom.train.fitting.rewards import CHOICES, REWARDS, VERIFIABLE, Truth, for_trl, form, iou, right, truth_of

REFUSALS = (
    "",
    "I'm sorry, but I can't help with medical images.",
    "As an AI model I am unable to interpret this scan.",
    "Please consult a radiologist.",
)
LETTERS = "ABCD"


def seen(size_hw_px: tuple[int, int]) -> tuple[int, int]:
    """As a processor with patches of 28 px would resize."""
    height, width = (max(28, side // 28 * 28) for side in size_hw_px)
    return height, width


@pytest.fixture(scope="module")
def asked(asked_phantom: Path) -> list[Asked]:
    """Some questions of every kind and granularity."""
    found: dict[Any, Asked] = {}
    for suite in ("gmai", "mimoseg", "medtrinity"):
        questions = ReleaseAsked.open(asked_phantom, suite=suite, split="train")
        for place, question in enumerate(questions.questions()):
            several = len(question.targets) > 1
            if (key := (question.kind, question.granularity, question.modality, several)) not in found:
                found[key] = questions[place]
    assert {one.question.kind for one in found.values()} == set(Kind)
    return list(found.values())


@pytest.mark.parametrize("masks", ["polygon", "box"])
@pytest.mark.parametrize("name", DIALECTS)
def test_the_right_answer_earns_all_and_refusals_earn_nothing(asked: list[Asked], name: str, masks: str):
    for one in asked:
        truth = Truth.of(one, Style(name, masks=masks), seen=seen)
        assert truth_of(truth.text()) == truth
        rewards = {reward: REWARDS[reward](truth.answer, truth) for reward in REWARDS}
        assert set(rewards.values()) <= {1.0, None}, (name, one.question.kind, truth.answer, rewards)
        judged = one.question.kind in VERIFIABLE and (one.question.kind in CHOICES or bool(one.question.targets))
        assert (rewards["right"] == 1.0) == (rewards["form"] == 1.0) == judged
        for refusal in REFUSALS:
            earned = {reward: REWARDS[reward](refusal, truth) for reward in REWARDS}
            assert set(earned.values()) <= {0.0, None}, (name, one.question.kind, refusal, earned)


def choice(kind: Kind, letters: str, options: int = 4) -> Truth:
    told = tuple(Option(letter, f"finding {letter.lower()}") for letter in LETTERS[:options])
    facts: dict[str, Any] = dict.fromkeys(
        ("key", "split", "suite", "rule", "source", "modality", "area", "task", "subset", "clinical_task", "department"), ""
    )
    facts |= {"id": "q-1", "granularity": "image", "question": "Which?", "options": told, "kind": kind}
    question = Question(**facts, answer=",".join(letters), letters=tuple(letters))
    return Truth(question, ",".join(letters), "thousandths", Frame.of((64, 64)))


subsets = [("".join(some)) for some in chain.from_iterable(combinations(LETTERS, n) for n in range(1, 5))]


@pytest.mark.parametrize("letters", [one for one in subsets if 1 < len(one) < 4])
def test_naming_every_letter_never_pays_more_than_being_right(letters: str):
    truth = choice(Kind.MULTIPLE_CHOICE, letters)
    scores = {said: right(",".join(said), truth) or 0.0 for said in subsets}
    assert scores[letters] == 1.0
    assert all(score < 1.0 for said, score in scores.items() if said != letters)
    assert REWARDS["letters"]("A,B,C,D", truth) == 0.0
    assert REWARDS["recall"]("A,B,C,D", truth) == 1.0
    assert REWARDS["precision"]("A,B,C,D", truth) == len(letters) / 4


@pytest.mark.parametrize("letter", LETTERS)
def test_one_letter_of_a_single_choice_is_right_or_not(letter: str):
    truth = choice(Kind.SINGLE_CHOICE, "B")
    assert right(letter, truth) == float(letter == "B")
    assert right("A,B", truth) == 0.0
    assert right(f"The answer is ({letter}).", truth) == float(letter == "B")
    assert form(f"The answer is ({letter}).", truth) == 0.0
    assert form(letter, truth) == 1.0


@pytest.mark.parametrize(
    ("reply", "kept"),
    [("A,C", 1.0), ("A, C", 1.0), ("A,C.", 1.0), ("C,A", 0.0), ("A and C", 0.0), ("AC", 0.0), ("A,E", 0.0), ("A,A", 0.0)],
)
def test_the_form_of_several_letters(reply: str, kept: float):
    assert form(reply, choice(Kind.MULTIPLE_CHOICE, "AC")) == kept


@given(reply=st.text(max_size=80), letters=st.sampled_from(subsets))
def test_rewards_of_any_text_lie_between_0_and_1(reply: str, letters: str):
    truth = choice(Kind.SINGLE_CHOICE if len(letters) == 1 else Kind.MULTIPLE_CHOICE, letters)
    for reward in REWARDS.values():
        earned = reward(reply, truth)
        assert earned is None or 0.0 <= earned <= 1.0


def boxes(*corners: tuple[float, float, float, float]) -> Truth:
    """A detection on a picture of 1000 by 1000, where `thousandths` are px."""
    frame = Frame.of((1000, 1000))
    said = DIALECTS["thousandths"].write([Place("box", None, one) for one in corners], frame)
    question = choice(Kind.DETECTION, "").question
    return Truth(question, f"The extent of the lesion is {said}.", "thousandths", frame)


def says(*corners: tuple[float, float, float, float]) -> str:
    return boxes(*corners).answer


def test_boxes_earn_their_overlap_and_pay_for_each_too_many():
    truth = boxes((100, 100, 300, 300))
    score = partial(iou, truth=truth)
    assert score(says((100, 100, 300, 300))) == 1.0
    assert score(says((100, 200, 300, 400))) == pytest.approx(1 / 3)
    assert score(says((500, 500, 600, 600))) == 0.0
    assert score(says((100, 100, 300, 300), (500, 500, 600, 600))) == 0.5
    assert score("It lies at [100, 100, 300]") == 0.0
    assert score("It lies at [[100, 100], [300, 100], [300, 300], [100, 300]]") == 0.0, "a polygon is no box"


ORGANS = {"liver": (100.0, 100.0, 400.0, 400.0), "spleen": (600.0, 100.0, 800.0, 300.0)}


def named(dialect: str, places: Mapping[str, tuple[float, float, float, float]], kind: str = "box") -> str:
    """Names with their places as a family writes them."""
    way, frame = DIALECTS[dialect], Frame.of((1000, 1000))
    told = {name: _place(name, corners, kind) for name, corners in places.items()}
    if not way.inline:
        return f"The {' and the '.join(told)} are there.\n{way.write(list(told.values()), frame)}"
    written = {name: way.write([place], frame) for name, place in told.items()}
    said = written.values() if way.marks_words else (f"{name} {text}" for name, text in written.items())
    return f"The {' and the '.join(said)} are there."


def _place(name: str, corners: tuple[float, float, float, float], kind: str) -> Place:
    x0, y0, x1, y1 = corners
    if kind == "box":
        return Place("box", name, corners)
    points = {"point": ((x0, y0),), "polygon": ((x0, y0), (x1, y0), (x1, y1), (x0, y1))}
    return Place(kind, name, points_xy_px=points[kind])


@pytest.mark.parametrize("kind", ["box", "polygon", "point"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_right_place_under_a_wrong_name_earns_nothing_where_several_are_asked(dialect: str, kind: str):
    question = replace(choice(Kind.GROUNDING, "").question, question="Where are the liver and the spleen?")
    truth = Truth(question, named(dialect, ORGANS, kind), dialect, Frame.of((1000, 1000)))
    exchanged = dict(zip(ORGANS, reversed(ORGANS.values()), strict=True))
    assert iou(truth.answer, truth) == pytest.approx(1.0)
    assert iou(named(dialect, dict(reversed(ORGANS.items())), kind), truth) == pytest.approx(1.0), "in any order"
    assert iou(named(dialect, exchanged, kind), truth) == 0.0
    half = iou(named(dialect, {"liver": ORGANS["liver"]}, kind), truth)
    assert half == pytest.approx(2 / 3 if kind == "point" else 1 / 2), "F1 of points, mean IoU of regions"
    wrong = named(dialect, {"liver": ORGANS["liver"], "kidney": ORGANS["spleen"]}, kind)
    assert iou(wrong, truth) == pytest.approx(1 / 2)


def test_one_name_may_be_left_out_or_worded_otherwise():
    question = replace(choice(Kind.GROUNDING, "").question, question="Where is the spleen?")
    truth = Truth(question, named("thousandths", {"spleen": ORGANS["spleen"]}), "thousandths", Frame.of((1000, 1000)))
    for reply in ("[600, 100, 800, 300]", "The lesion is at [600, 100, 800, 300]."):
        assert iou(reply, truth) == 1.0


coordinate = st.integers(0, 990)


@st.composite
def box(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x0, y0 = draw(coordinate), draw(coordinate)
    return float(x0), float(y0), float(draw(st.integers(x0 + 1, 1000))), float(draw(st.integers(y0 + 1, 1000)))


@given(true=st.lists(box(), min_size=1, max_size=4), said=st.lists(box(), min_size=1, max_size=4))
def test_boxes_are_judged_alike_in_any_order_and_from_either_side(true: list[Any], said: list[Any]):
    earned = iou(says(*said), boxes(*true))
    assert earned is not None
    assert 0.0 <= earned <= 1.0
    assert iou(says(*reversed(said)), boxes(*true)) == pytest.approx(earned)
    assert iou(says(*true), boxes(*said)) == pytest.approx(earned)
    assert iou(says(*true), boxes(*true)) == pytest.approx(1.0)
    if len(true) > 1:
        assert (iou(says(*true[:1]), boxes(*true)) or 0.0) < 1.0


def test_the_form_of_places_takes_no_broken_place_and_no_essay():
    truth = boxes((100, 100, 300, 300))
    assert form(truth.answer, truth) == 1.0
    assert form("The extent of the lesion is [100, 100, 300, 300", truth) == 0.0
    assert form(truth.answer + " [1, 2, 3]", truth) == 0.0
    assert form("The extent of the lesion is large.", truth) == 0.0
    assert form("lesion " * 60 + truth.answer, truth) == 0.0
    assert form("[100, 100, 300, 300]", truth) == 0.0, "words were asked for too"


def test_what_cannot_be_verified_has_no_reward(asked: list[Asked]):
    for one in asked:
        if one.question.kind in {Kind.LOCALIZATION, Kind.DESCRIPTION}:
            truth = Truth.of(one, Style())
            assert {reward(truth.answer, truth) for reward in REWARDS.values()} == {None}


def test_rewards_are_called_as_trl_calls_them():
    truth = choice(Kind.SINGLE_CHOICE, "B").text()
    reward = for_trl("right")
    completions = [[{"role": "assistant", "content": "B"}], [{"role": "assistant", "content": [{"type": "text", "text": "A"}]}]]
    assert reward(prompts=[[], []], completions=completions, completion_ids=[[1], [2]], truth=[truth, truth], images=[]) == [
        1.0,
        0.0,
    ]
    assert reward.__name__ == "right"
    assert for_trl("form")(completions=["B"], truth=[truth]) == [1.0]
    with pytest.raises(UsageError, match="reward 'beauty'; expected one of right, letters"):
        for_trl("beauty")
