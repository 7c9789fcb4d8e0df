"""Perspectives III and IV: who is asked about, that nothing is named, that the answer is the only one, and golden questions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from drawn_cases import case, records, region, state
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.generation.case import Asking, Case
from medloom.generation.chance import Chance
from medloom.generation.pools import Pools
from medloom.generation.rules import Rule
from medloom.generation.telling.knowledge import knowledge
from medloom.generation.telling.prompted import prompted
from medloom.generation.telling.reasoning import reasoning
from medloom.generation.validators import validate
from medloom.generation.validators.naming import named
from medloom.schema.errors import UsageError
from medloom.schema.question import Kind, Question

GOLDEN = Path(__file__).with_name("golden") / "reasoning.json"
LEFT, RIGHT = (20, 20, 60, 60), (120, 20, 160, 60)
MIDDLE = (80, 70, 110, 95)
TEXTS = {fact.text for one in knowledge().values() for fact in one.facts}


def asked(rule: Rule, cases: Iterable[Case], *, seeds: int = 1) -> list[tuple[Question, Case]]:
    return [(found, one) for one in cases for seed in range(seeds) for found in rule(one, Chance(seed, one.key))]


def third(**options: Any) -> Rule:
    return reasoning(Asking("mimoseg", "reasoning"), Pools(), **options)


def fourth(**options: Any) -> Rule:
    return prompted(Asking("mimoseg", "prompted"), Pools(), **options)


def organs() -> Case:
    liver, spleen, spine = state("liver"), state("spleen"), state("spine", area="spine")
    return case([liver, spleen, spine], [region(0, liver, LEFT), region(1, spleen, RIGHT), region(2, spine, MIDDLE)])


def labels_asked(rule: Rule, one: Case, seeds: int = 40) -> set[str]:
    found = asked(rule, [one], seeds=seeds)
    assert [fault for question, of in found for fault in validate(question, of, Pools())] == []
    return {label for question, _ in found for label in question.labels}


@settings(deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_questions_name_nothing_and_answers_name_everything(seed: int, pointed: bool) -> None:
    one, rule = organs(), fourth() if pointed else third(most=3)
    questions = list(rule(one, Chance(seed)))
    assert questions
    for question in questions:
        assert validate(question, one, Pools()) == []
        assert question.kind is (Kind.PROMPTED if pointed else Kind.REASONING)
        assert question.perspective == (4 if pointed else 3)
        assert not named(question.question) & {*question.labels}
        assert question.answer is not None
        assert {*question.labels} <= named(question.answer)
        assert {*question.targets} == {name for span in question.spans for name in span.annotations}
        assert any(text in question.answer for text in TEXTS)
        if not pointed:
            assert any(text in question.question for text in TEXTS)


def test_several_labels_are_asked_for_at_once_and_all_take_part() -> None:
    several = [(question, of) for question, of in asked(third(most=0, several=2), [organs()], seeds=60)]
    assert {len(question.labels) for question, _ in several} == {2, 3}
    for question, _ in several:
        assert len(question.targets) == len(question.labels) == len(question.spans)
        assert sum(text in question.question for text in TEXTS) >= len(question.labels)


def test_no_fact_of_one_names_another_of_those_asked_for() -> None:
    kidneys = [state("kidney", side="left"), state("kidney", side="right")]
    spine = state("spine")
    one = case([*kidneys, spine], [region(0, kidneys[0], RIGHT), region(1, kidneys[1], LEFT), region(2, spine, MIDDLE)])
    found = asked(third(most=0), [one], seeds=80)
    assert found
    assert [fault for question, of in found for fault in validate(question, of, Pools())] == []


def test_both_sides_are_the_answer_and_are_named() -> None:
    kidneys = [state("kidney", side="left"), state("kidney", side="right")]
    one = case(kidneys, [region(0, kidneys[0], RIGHT), region(1, kidneys[1], LEFT)])
    for question, _ in asked(third(), [one], seeds=5):
        assert question.answer is not None
        assert [question.answer[span.start : span.end] for span in question.spans] == ["left kidney", "right kidney"]
        assert [span.annotations for span in question.spans] == [("a0",), ("a1",)]


@pytest.mark.parametrize(
    ("other", "third_asks"),
    [("uncertain", False), ("not_assessed", False), ("absent", True), (None, False)],
)
def test_where_a_region_may_be_missing_only_what_is_pointed_at_is_asked(other: str | None, third_asks: bool) -> None:
    left = state("kidney", side="left")
    states = [left] if other is None else [left, state("kidney", other, side="right")]
    one = case(states, [region(0, left, RIGHT)])
    assert bool(labels_asked(third(), one)) is third_asks
    assert labels_asked(fourth(), one) == {left["label_id"]}


def test_kin_on_one_image_are_not_told_apart_by_facts() -> None:
    wide, narrow = state("red blood cell"), state("target cell")
    one = case([wide, narrow], [region(0, wide, LEFT, "box"), region(1, narrow, RIGHT, "box")], modality="Mic", area="blood")
    assert labels_asked(third(), one) == labels_asked(fourth(), one) == set()


def test_a_label_that_says_too_little_keeps_its_siblings_from_being_asked() -> None:
    cells = [state("target cell"), state("uncategorized red blood cell", "uncertain")]
    one = case(cells, [region(0, cells[0], LEFT, "point")], modality="Mic", area="blood")
    assert labels_asked(fourth(), one) == set()
    sure = case(cells[:1], [region(0, cells[0], LEFT, "point")], modality="Mic", area="blood")
    assert labels_asked(fourth(), sure) == {cells[0]["label_id"]}


def test_a_fact_that_holds_of_another_label_there_is_not_asked() -> None:
    small, sphere = state("microcyte"), state("spherocyte")
    regions = [region(0, small, LEFT, "point"), region(1, sphere, RIGHT, "point")]
    both = case([small, sphere], regions, modality="Mic", area="blood")
    alone = case([small], regions[:1], modality="Mic", area="blood")
    look = "is clearly smaller than its normal fellows"

    def told(one: Case) -> bool:
        return any(look in (question.answer or "") for question, _ in asked(fourth(), [one], seeds=40))

    assert told(alone)
    assert not told(both)


def test_one_observer_answers() -> None:
    vessels = state("retinal vessels", side="left", area="fundus")
    drawn = [region(place, vessels, LEFT, observer=name) for place, name in enumerate(("first", "second"))]
    one = case([vessels], drawn, modality="FP", area="fundus")
    for question, _ in asked(third(), [one], seeds=5):
        assert question.targets == ("a0",)
        assert question.flags == ("one-observer",)
        assert "left" not in f"{question.question} {question.answer}"


def test_prompts_mean_one_region() -> None:
    liver, spleen = state("liver"), state("spleen")
    near = (22, 20, 60, 60)
    one = case([liver, spleen], [region(0, liver, LEFT), region(1, spleen, near)])
    assert asked(fourth(prompts=("box",)), [one], seeds=20) == []
    points = asked(fourth(prompts=("point",)), [one], seeds=20)
    assert {question.labels for question, _ in points} == {(liver["label_id"],)}
    assert all(20 <= x < 22 for question, _ in points for x, _ in question.prompts[0].points_xy_px)


def test_boxes_of_masks_are_flagged_and_own_ones_are_not() -> None:
    liver = state("liver")
    for granularity, flags in (("mask", ("derived-box",)), ("box", ())):
        found = asked(fourth(prompts=("box",)), [case([liver], [region(0, liver, LEFT, granularity)])], seeds=3)
        assert {question.flags for question, _ in found} == {flags}


def test_nothing_is_asked_of_drawings_marks_grades_and_unknown_labels() -> None:
    for label, area in (("liver", "phantom"), ("green scribble", "liver"), ("mild retinopathy", "fundus"), ("gizmo", "liver")):
        one = case([own := state(label)], [region(0, own, LEFT)], area=area)
        assert labels_asked(third(), one) == labels_asked(fourth(), one) == set()


def test_the_same_chance_gives_the_same_questions_and_another_one_other_words() -> None:
    first, again, other = ([question for question, _ in asked(third(), [organs()], seeds=n)] for n in (3, 3, 6))
    assert first == again
    assert first == other[: len(first)]
    assert len({question.question for question in other}) > 3


@pytest.mark.parametrize("make", [third, fourth])
@pytest.mark.parametrize("options", [{"granularities": ("image",)}, {"most": -1}])
def test_options_that_cannot_be_used(make: Callable[..., Rule], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected"):
        make(**options)


def test_a_prompt_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="arrow"):
        fourth(prompts=("arrow",))


def test_the_phantom(built: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    """Every question passes the validators; some are as they were last agreed on (`MEDLOOM_GOLDEN=1` writes them anew)."""
    rules, golden, count = {"reasoning": third(), "prompted": fourth()}, {}, 0
    for record in records(built("phantom")[0]):
        one = Case(record)
        for name, rule in rules.items():
            for question in rule(one, Chance("golden", name, one.key)):
                count += 1
                assert [str(fault) for fault in validate(question, one, Pools())] == [], question
                kept = golden.setdefault(f"{name} {one.modality}", [])
                if len(kept) < 3:
                    kept.append(
                        [question.key, question.question, question.answer, *map(list, (question.targets, question.flags))]
                    )
    assert count > 1000
    if os.environ.get("MEDLOOM_GOLDEN"):
        GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert golden == json.loads(GOLDEN.read_text(encoding="utf-8"))
