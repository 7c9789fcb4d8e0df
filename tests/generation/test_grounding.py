"""Names to masks, boxes and points: spans cut exactly the words, targets are those asked for, absence is known."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.generation.case import Asking, Case, name_of
from medloom.generation.chance import Chance
from medloom.generation.pools import Named, Pools, pools_of
from medloom.generation.regions.grounding import detection, grounding
from medloom.generation.regions.marked import ABSENT, DERIVED_BOX, ONE_OBSERVER
from medloom.generation.regions.told import Words, told
from medloom.generation.rules import Rule, ready
from medloom.generation.suite import RuleSpec, Suite
from medloom.generation.validators import validate
from medloom.generation.wording import Wording, gaps, wordings
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table
from medloom.schema.mask import rle_from_mask
from medloom.schema.question import Question
from medloom.schema.release import Release
from medloom.schema.shard import pairs

SIZE = (60, 80)
MASKS, BOXES = Asking("toy", "grounding"), Asking("toy", "detection")
Box = tuple[int, int, int, int]


def state(label: str, is_: str = "present", *, laterality: str | None = None) -> dict[str, Any]:
    return {
        "label": label, "label_id": table().id_of(label), "state": is_, "area": "chest", "task": "organ-segmentation",
        "subset": "ct-chest-organ-segmentation", "clinical_task": "Organ Recognition - Thorax", "departments": ["None"],
        "laterality": laterality, "value": None, "unit": None,
    }  # fmt: skip


def region(label: str, box: Box, *, granularity: str = "mask", **more: Any) -> dict[str, Any]:
    mask = np.zeros(SIZE, np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 1
    shaped = granularity in ("mask", "contour")
    return {
        "label": label, "label_id": table().id_of(label), "granularity": granularity,
        "box_xyxy_px": None if granularity == "point" else [float(edge) for edge in box],
        "rle": rle_from_mask(mask) if shaped else None,
        "points": [[box[0] + 0.5, box[1] + 0.5]] if granularity == "point" else [],
        "area_px": None if granularity == "point" else float((box[2] - box[0]) * (box[3] - box[1])),
        "laterality": None, "observer": None, "origin": "human", "tool": None, **more,
    }  # fmt: skip


def case(states: list[dict[str, Any]], regions: list[dict[str, Any]], key: str = "toy-0") -> Case:
    numbered = [{"id": f"a{number}", **one} for number, one in enumerate(regions)]
    record = {
        "key": key, "split": "train", "source": "toy", "modality": "CT", "modality_detail": None, "area": "chest",
        "task": "organ-segmentation", "subsets": ["ct-chest-organ-segmentation"], "clinical_task": "None",
        "department": "None", "size_hw_px": list(SIZE), "labels": states, "annotations": numbered,
        "provenance": {"orientation": None},
    }  # fmt: skip
    return Case(record)


def pool(label: str, granularity: str) -> Pools:
    home = ("CT", "Organ Recognition - Thorax", granularity)
    return Pools(regions={home: (Named(label, table().id_of(label)),)})


def ask(rule: Rule, of: Case, seed: int = 0) -> list[Question]:
    return list(rule(of, Chance("toy", seed, of.key)))


LUNGS = case(
    [state("lung", laterality="left"), state("lung", laterality="right"), state("heart"), state("liver", "absent")],
    [
        region("lung", (50, 10, 75, 50), laterality="left"),
        region("lung", (5, 10, 30, 50), laterality="right"),
        region("heart", (30, 30, 50, 48), granularity="contour"),
    ],
)


def test_each_name_is_tied_to_its_own_regions_and_side() -> None:
    for question in [one for seed in range(40) for one in ask(grounding(MASKS, Pools(), most=9), LUNGS, seed)]:
        names = {one["id"]: name_of(one) for one in LUNGS.record["annotations"]}
        said = {question.answer[span.start : span.end]: span.annotations for span in question.spans if question.answer}
        assert set(said) == {names[target] for target in question.targets}
        assert all({names[one] for one in tied} == {words} for words, tied in said.items())
        assert all(words in question.question for words in said)
        assert question.perspective == 1
        assert question.granularity == "mask"
        assert validate(question, LUNGS, Pools()) == []


def test_questions_for_several_labels_name_at_least_two_and_no_more_than_allowed() -> None:
    sizes = Counter(
        len(question.spans)
        for seed in range(60)
        for question in ask(grounding(MASKS, Pools(), most=0, several=2, largest=3), LUNGS, seed)
    )
    assert set(sizes) == {2, 3}
    assert sum(sizes.values()) == 120


def test_at_most_so_many_labels_are_asked_for() -> None:
    rule = grounding(MASKS, Pools(), most=2, several=0)
    asked = [ask(rule, LUNGS, seed) for seed in range(40)]
    assert {len(one) for one in asked} == {2}
    assert {question.targets for one in asked for question in one} == {("a0",), ("a1",), ("a2",)}


def test_of_several_observers_the_first_one_answers() -> None:
    regions = [region("heart", (10, 10, 20, 20), observer=name) for name in ("first", "second")]
    both = case([state("heart")], [*regions, region("heart", (40, 40, 50, 50), observer="first")])
    (question,) = ask(grounding(MASKS, Pools()), both)
    assert question.targets == ("a0", "a2")
    assert question.flags == (ONE_OBSERVER,)


def test_only_what_is_known_to_be_absent_is_asked_for_in_vain() -> None:
    states = [state("heart"), state("liver", "absent"), state("spleen", "uncertain"), state("aorta", "not_assessed")]
    here = case(states, [region("heart", (10, 10, 20, 20))])
    home = ("CT", "Organ Recognition - Thorax", "mask")
    everything = Pools(regions={home: tuple(Named(one["label"], one["label_id"]) for one in states)})
    rule = grounding(MASKS, everything, most=0, absent=1.0)
    for seed in range(20):
        (question,) = ask(rule, here, seed)
        assert question.flags == (ABSENT,)
        assert question.labels == (table().id_of("liver"),)
        assert not question.targets
        assert not question.spans
        assert re.search(r"\bno liver\b", str(question.answer), re.IGNORECASE)
        assert validate(question, here, everything) == []


def test_what_is_marked_nowhere_or_kin_to_what_may_be_there_is_never_asked_for_in_vain() -> None:
    here = case([state("glioma"), state("brain tumor", "absent")], [region("glioma", (10, 10, 20, 20))])
    assert not ask(grounding(MASKS, pool("brain tumor", "mask"), most=0, absent=1.0), here)
    liver = case([state("liver", "absent")], [])
    assert not ask(grounding(MASKS, Pools(), absent=1.0), liver)
    assert not ask(grounding(MASKS, pool("liver", "box"), absent=1.0), liver)
    one_sided = case([state("lung", "absent", laterality="left"), state("lung", laterality="right")], [])
    assert not ask(grounding(MASKS, pool("lung", "mask"), absent=1.0), one_sided)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_share_of_absent_questions(share: float) -> None:
    rule = grounding(MASKS, pool("liver", "mask"), absent=share)
    count = sum(ABSENT in question.flags for seed in range(1000) for question in ask(rule, LUNGS, seed))
    assert abs(count - 1000 * share) <= 4 * (1000 * share * (1 - share)) ** 0.5


def test_questions_for_what_is_absent_are_worded_like_the_others() -> None:
    kinds = {"mask": (grounding, MASKS), "box": (detection, BOXES), "point": (detection, BOXES)}
    for granularity, (make, asking) in kinds.items():
        regions = [region("heart", (10, 10, 20, 20), granularity=granularity)]
        here = case([state("heart"), state("liver", "absent")], regions)
        rule = make(asking, pool("liver", granularity), absent=1.0)
        asked = [question for seed in range(300) for question in ask(rule, here, seed)]
        ways = [{one.wording.split("+")[0] for one in asked if (ABSENT in one.flags) == absent} for absent in (True, False)]
        assert ways[0] == ways[1]
        assert len({one.granularity for one in asked}) == len({one.instruction for one in asked}) == 1


def test_boxes_are_counted_and_stand_in_the_answer_in_reading_order() -> None:
    boxes = [(40, 30, 50, 40), (10, 5, 20, 15), (60, 5, 70, 15)]
    here = case([state("heart")], [region("heart", box, granularity="box") for box in boxes])
    for seed in range(30):
        (question,) = ask(detection(BOXES, Pools()), here, seed)
        assert question.targets == ("a1", "a2", "a0")
        assert question.flags == ()
        assert re.findall(r"<box:(a\d+)>", str(question.answer)) == list(question.targets)
        assert re.search(r"\b3\b", str(question.answer))
        assert validate(question, here, Pools()) == []


@pytest.mark.parametrize("count", [1, 4])
def test_boxes_from_masks_are_flagged_and_one_mask_is_not_counted(count: int) -> None:
    here = case([state("heart")], [region("heart", (10 * n + 1, 10, 10 * n + 9, 20)) for n in range(count)])
    for seed in range(30):
        (question,) = ask(detection(BOXES, Pools()), here, seed)
        assert DERIVED_BOX in question.flags
        assert question.granularity == "box"
        assert question.wording.startswith("enclosing" if count == 1 else "detection")
        assert bool(re.search(r"\b\d\b", str(question.answer))) == (count > 1)
    assert not ask(detection(BOXES, Pools(), derived=False), here)


def test_boxes_of_the_source_come_before_boxes_from_masks() -> None:
    here = case([state("heart")], [region("heart", (1, 1, 9, 9)), region("heart", (1, 1, 10, 10), granularity="box")])
    (question,) = ask(detection(BOXES, Pools()), here)
    assert question.targets == ("a1",)
    assert question.flags == ()


def test_points_are_asked_for_as_points() -> None:
    here = case([state("heart")], [region("heart", (5 * n, 5, 0, 0), granularity="point") for n in range(3)])
    (question,) = ask(detection(BOXES, Pools()), here)
    assert question.granularity == "point"
    assert re.findall(r"<point:(a\d)>", str(question.answer)) == ["a0", "a1", "a2"]
    assert question.flags == ()
    assert validate(question, here, Pools()) == []


def test_crowds_are_left_out() -> None:
    here = case([state("heart")], [region("heart", (n, 5, n + 1, 9), granularity="box") for n in range(6)])
    assert not ask(detection(BOXES, Pools(), crowd=5), here)
    assert len(ask(detection(BOXES, Pools(), crowd=6), here)) == 1


@pytest.mark.parametrize(
    ("make", "options"),
    [(grounding, {"most": -1}), (grounding, {"absent": 1.1}), (grounding, {"largest": 1}), (detection, {"crowd": -2})],
)
def test_options_that_cannot_be(make: Callable[..., Rule], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"expected"):
        make(MASKS, Pools(), **options)


def test_wordings_are_enough_and_fill_the_gaps_that_they_should() -> None:
    parts = {
        "single": {"name", "picture"}, "several": {"names", "picture"}, "single-answers": {"name"},
        "several-answers": {"names"}, "absent-answers": {"name"}, "detection": {"name", "picture"},
        "detection-answers": {"name", "count", "regions"}, "enclosing": {"name", "picture"},
        "enclosing-answers": {"name", "regions"}, "points": {"name", "picture"},
        "points-answers": {"name", "count", "regions"},
    }  # fmt: skip
    for part, expected in parts.items():
        some = wordings("grounding", part)
        assert len(some) >= (9 if part in ("single", "several") else 6)
        main = "answer" if part.endswith("answers") else "question"
        assert all(gaps(one.texts[main]) == expected for one in some)
        assert all(gaps(one.texts.get("one", "")) <= expected for one in some)


words = st.text(st.characters(exclude_characters="{}"), min_size=1, max_size=9)


@given(st.lists(st.tuples(words, st.lists(words, max_size=3)), min_size=1, max_size=5), words, words)
def test_spans_cut_exactly_the_words(tied: list[tuple[str, list[str]]], before: str, after: str) -> None:
    wording = Wording("w", {"answer": f"{before}{{names}}{after}{{count}}"})
    every = [Words(text, tuple(ids), before="the ") for text, ids in tied]
    answer, spans = told(wording, names=every, count=3)
    assert [(answer[one.start : one.end], one.annotations) for one in spans] == [(t, tuple(i)) for t, i in tied if i]
    assert answer.startswith(f"{before}the ")
    assert answer.endswith(f"{after}3")


def test_a_gap_that_nobody_fills_and_a_text_that_is_not_there_are_told() -> None:
    wording = Wording("w-1", {"answer": "{name} and {more}"})
    with pytest.raises(UsageError, match="w-1: gap 'more'"):
        told(wording, name="x")
    with pytest.raises(UsageError, match="w-1: no text 'one'"):
        told(wording, "one", name="x")


def test_same_seed_same_questions_other_seed_other_wording() -> None:
    rule = grounding(MASKS, Pools(), most=9)
    assert ask(rule, LUNGS, 1) == ask(rule, LUNGS, 1)
    assert [one.question for one in ask(rule, LUNGS, 1)] != [one.question for one in ask(rule, LUNGS, 2)]


GOLDEN = Path(__file__).with_name("golden") / "regions.json"
RULES = ("grounding", "detection", "referring", "localization")


def asked_of(root: Path) -> Iterator[tuple[Question, Case, Pools]]:
    suite = Suite("regions", "1", "All that asks for regions", tuple(RuleSpec(name) for name in RULES))
    release = Release.open(root)
    pools = pools_of(release)
    rules = ready(suite, pools)
    for shard in sorted((root / "data").rglob("*.tar")):
        for key, _, record, _ in pairs(shard):
            one = Case(orjson.loads(record))
            for name, rule in rules.items():
                for question in rule(one, suite.chance(name, key, seed=0)):
                    yield question, one, pools


@pytest.mark.parametrize("name", ["phantom", "bccd", "brain_tumor_yolo", "chase_db1", "chula_rbc12", "msd_hippocampus"])
def test_no_question_of_a_source_has_a_fault(name: str, built: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    count: Counter[str] = Counter()
    for question, one, pools in asked_of(built(name)[0]):
        assert validate(question, one, pools) == []
        count[question.rule] += 1
        answer = str(question.answer)
        names = {name_of(two) for two in one.record["annotations"]}
        assert all(answer[span.start : span.end] in names for span in question.spans)
        assert bool(question.targets) == (ABSENT not in question.flags)
    assert count["detection"]
    assert name != "phantom" or set(count) == set(RULES)


def test_questions_of_the_phantom_are_the_golden_ones(built: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for question, _, _ in asked_of(built("phantom")[0]):
        kind = (question.rule, question.modality, *question.flags)
        seen[kind] += 1
        if seen[kind] <= 2:
            prompts = [[one.kind, one.annotation, one.box_xyxy_px, one.points_xy_px] for one in question.prompts]
            texts = [question.id, question.key, question.question, question.answer, question.wording]
            found.append([*texts, question.targets, prompts, question.flags])
    if os.environ.get("MEDLOOM_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert json.loads(json.dumps(found)) == json.loads(GOLDEN.read_text(encoding="utf-8"))
