"""Summaries against counts by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from medloom.schema.errors import UsageError
from medloom.train.scoring.columns import FACETS
from medloom.train.scoring.scored import Scored
from medloom.train.scoring.summary import compare, summarize


def reply(number: int, **fields) -> Scored:
    plain = {
        "id": f"q-{number}",
        "variant": "",
        "key": f"k-{number}",
        "group": f"g-{number // 2}",
        "source": "s",
        "kind": "single_choice",
        "rule": "r",
        "perspective": None,
        "granularity": "image",
        "modality": "CT",
        "area": "lung",
        "task": "cls",
        "subset": "one",
        "clinical_task": "Disease Diagnosis",
        "department": "Urology",
        "labels": ("l1",),
        "status": "answered",
        "said": "A",
        "parsed_by": "letter",
        "measures": {"accuracy": 1.0},
    }
    return Scored(**{**plain, **fields})


def run(values: Sequence[float], **fields) -> list[Scored]:
    return [reply(number, measures={"accuracy": value}, **fields) for number, value in enumerate(values)]


def test_micro_weighs_questions_and_macro_labels_and_subsets():
    every = [reply(n, labels=("rare",), subset="two", measures={"accuracy": 0.0}) for n in range(2)]
    every += [reply(n, labels=("common",), measures={"accuracy": float(n < 8)}) for n in range(2, 10)]
    found = summarize(every, resamples=50)["measures"]["accuracy"]
    assert found["n"] == 10
    assert found["value"] == 0.6
    assert found["macro_labels"] == found["macro_subsets"] == (0.0 + 0.75) / 2


def test_a_question_of_two_labels_counts_for_each():
    every = [reply(0, labels=("a", "b")), reply(1, labels=("b",), measures={"accuracy": 0.0})]
    found = summarize(every, resamples=0)
    assert found["measures"]["accuracy"]["macro_labels"] == 0.75
    assert {word: branch["n"] for word, branch in found["by"]["label"].items()} == {"a": 1, "b": 2}


def test_every_facet_and_branch_adds_up():
    every = [reply(n, modality=("CT", "MR")[n % 2], department=("Urology", "Oncology")[n % 3 == 0]) for n in range(12)]
    found = summarize(every, resamples=20)
    assert tuple(found["by"]) == FACETS
    for facet in set(FACETS) - {"perspective", "label"}:
        assert sum(branch["n"] for branch in found["by"][facet].values()) == 12
    assert found["by"]["perspective"] == {}
    for depth in (1, 2, 3, 4):
        assert sum(branch["n"] for branch in found["tree"] if len(branch["path"]) == depth) == 12
    paths = [branch["path"] for branch in found["tree"]]
    assert paths == sorted(paths)
    assert ["CT", "Disease Diagnosis", "Oncology", "image"] in paths


def test_sums_are_divided_after_they_are_added():
    every = [
        reply(0, measures={"mask_iou": 1.0}, tallies={"mask_shared_px": 10.0, "mask_joint_px": 10.0}),
        reply(1, measures={"mask_iou": 0.0}, tallies={"mask_shared_px": 0.0, "mask_joint_px": 90.0}),
        reply(2, measures={"mask_iou": 1.0}, tallies={"mask_shared_px": 0.0, "mask_joint_px": 0.0}),
    ]
    found = summarize(every, resamples=20)["measures"]
    assert (found["mask_iou"]["value"], found["mask_ciou"]["value"]) == (pytest.approx(2 / 3), 0.1)
    assert found["mask_ciou"]["n"] == 3


@pytest.mark.parametrize("areas", [[(0.0, 0.0)] * 4, [(3.0, 6.0)] * 4, [(3.0, 6.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)]])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_sums_over_nothing_have_no_value_and_warn_of_nothing(areas: list[tuple[float, float]], groups: int):
    every = [
        reply(n, group=f"g{n % groups}", measures={"mask_iou": None}, tallies={"mask_shared_px": a, "mask_joint_px": b})
        for n, (a, b) in enumerate(areas)
    ]
    found = summarize(every, resamples=30)["measures"]
    assert list(found) == ["mask_ciou"]
    value = 0.5 if areas[0][1] else None
    assert (found["mask_ciou"]["n"], found["mask_ciou"]["value"]) == (4, value)
    assert (found["mask_ciou"]["low"] is None) == (value is None or groups == 1)
    between = compare(every, every, resamples=30)["measures"]["mask_ciou"]
    assert (between["n"], between["difference"]) == (4, None if value is None else 0.0)
    assert between["p"] == (None if value is None else 1.0)


def test_replies_without_a_measure_stay_out_of_it():
    every = [reply(0), reply(1, measures={"accuracy": None}), reply(2, measures={"box_iou": 0.5}, kind="detection")]
    found = summarize(every, resamples=0)
    assert found["measures"]["accuracy"] == found["by"]["kind"]["single_choice"]["measures"]["accuracy"]
    assert (found["measures"]["accuracy"]["n"], found["measures"]["box_iou"]["n"]) == (1, 1)


def test_statuses_are_counted_apart():
    every = [reply(0), reply(1, status="refused", measures={"accuracy": 0.0}), reply(2, status="refused")]
    assert summarize(every, resamples=0)["statuses"] == {"answered": 1, "refused": 2}


def test_chance_and_the_human_bound_stand_beside():
    every = [
        reply(0, chance={"accuracy": 0.25}),
        reply(1, chance={"accuracy": 0.5}, measures={"accuracy": 0.0}),
        reply(2, measures={"mask_iou": 0.4}, human={"mask_iou": 0.8}),
        reply(3, measures={"mask_iou": 0.0}),
    ]
    found = summarize(every, resamples=0)["measures"]
    assert found["accuracy"]["chance"] == 0.375
    assert found["mask_iou"]["human"] == {"n": 1, "value": 0.8, "model": 0.4}
    assert found["mask_iou"]["value"] == 0.2
    assert "human" not in found["accuracy"]
    assert "chance" not in found["mask_iou"]


def test_intervals_hold_the_value_and_small_branches_are_flagged():
    values = np.random.default_rng(1).integers(0, 2, 80).astype(float)
    found = summarize(run(values), resamples=300)
    one = found["measures"]["accuracy"]
    assert one["low"] < values.mean() == one["value"] < one["high"]
    assert one["wilson"]["low"] < one["value"] < one["wilson"]["high"]
    assert 0 < one["wilson"]["trials"] <= 80
    assert (found["n"], found["groups"], found["small"]) == (80, 40, False)


@pytest.mark.parametrize(("questions", "groups", "small"), [(30, 10, False), (29, 10, True), (30, 9, True), (400, 1, True)])
def test_a_branch_is_small_below_30_questions_or_10_groups(questions: int, groups: int, small: bool):
    found = summarize([reply(n, group=f"g-{n % groups}") for n in range(questions)], resamples=0)
    assert (found["n"], found["groups"], found["small"]) == (questions, groups, small)
    assert found["by"]["modality"]["CT"]["small"] is small
    assert found["intervals"]["small"] == {"n": 30, "groups": 10}


def test_all_right_has_no_width_by_drawing_but_by_wilson():
    one = summarize(run([1.0] * 40), resamples=100)["measures"]["accuracy"]
    assert (one["low"], one["high"]) == (1.0, 1.0)
    assert one["wilson"]["low"] == pytest.approx(0.839, abs=0.001)


def test_variants_stand_apart():
    every = run([1.0, 0.0]) + [reply(n, variant="order:1", measures={"accuracy": 0.0}) for n in range(2)]
    found = summarize(every, resamples=0)
    assert (found["n"], found["measures"]["accuracy"]["value"]) == (2, 0.5)
    assert found["variants"]["order:1"]["measures"]["accuracy"]["value"] == 0.0


def test_the_result_is_json_and_depends_on_neither_order_nor_other_branches():
    every = [reply(n, modality=("CT", "MR")[n % 2], measures={"accuracy": float(n % 3 == 0)}) for n in range(60)]
    found = summarize(every, resamples=100, seed=3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert summarize(every[::-1], resamples=100, seed=3) == found
    alone = summarize([one for one in every if one.modality == "CT"], resamples=100, seed=3)
    assert alone["by"]["modality"]["CT"] == found["by"]["modality"]["CT"]
    assert summarize(every, resamples=100, seed=4)["measures"] != found["measures"]


def test_what_cannot_be_summarized():
    with pytest.raises(UsageError, match="no scored reply"):
        summarize([])
    with pytest.raises(UsageError, match="2 scored replies"):
        summarize([reply(0), reply(0)])
    with pytest.raises(UsageError, match="bca or percentile"):
        summarize([reply(0)], method="jackknife")


def test_two_runs_are_paired_by_question():
    a, b = run([1.0] * 30 + [0.0] * 10), run([1.0] * 20 + [0.0] * 20)
    found = compare([*a, reply(99)], [*b[1:], reply(98), reply(97)], resamples=199)
    assert (found["n"], found["only_in_a"]["n"], found["only_in_b"]["n"]) == (39, 2, 2)
    assert [one["id"] for one in found["only_in_a"]["first"]] == ["q-0", "q-99"]
    one = found["measures"]["accuracy"]
    assert one["difference"] == pytest.approx(one["a"] - one["b"]) == pytest.approx(10 / 39)
    assert (one["mcnemar"]["only_a"], one["mcnemar"]["only_b"]) == (10, 0)
    assert one["mcnemar"]["p"] == pytest.approx(2 / 2**10)
    assert 0 < one["low"] < one["difference"] < one["high"]
    json.dumps(found, allow_nan=False)


def test_a_measure_counts_where_both_have_it():
    a = [reply(0, measures={"mask_iou": 0.5}), reply(1, measures={"mask_iou": None, "box_iou": 1.0})]
    b = [reply(0, measures={"mask_iou": 0.25}), reply(1, measures={"mask_iou": 0.75})]
    found = compare(a, b, resamples=9)
    assert list(found["measures"]) == ["mask_iou"]
    assert (found["measures"]["mask_iou"]["n"], found["measures"]["mask_iou"]["difference"]) == (1, 0.25)
    assert "mcnemar" not in found["measures"]["mask_iou"]


def test_branches_are_adjusted_for_how_many_they_are():
    a = [reply(n, modality=f"m{n % 4}", group=f"g{n}", measures={"accuracy": 1.0}) for n in range(48)]
    b = [reply(n, modality=f"m{n % 4}", group=f"g{n}", measures={"accuracy": float(n % 4 > 0 or n > 40)}) for n in range(48)]
    branches = compare(a, b, resamples=999)["by"]["modality"]
    p = {word: branch["measures"]["accuracy"] for word, branch in branches.items()}
    assert p["m0"]["p"] < 0.01
    assert p["m0"]["p_holm"] == pytest.approx(4 * p["m0"]["p"])
    assert p["m1"]["p"] == p["m1"]["p_holm"] == 1.0


def test_runs_that_share_nothing_cannot_be_compared():
    with pytest.raises(UsageError, match="share no question"):
        compare([reply(0)], [reply(1)])
    with pytest.raises(UsageError, match="expected one each"):
        compare([reply(0), reply(0)], [reply(0)])
