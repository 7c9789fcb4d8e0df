"""GMAI's rules: what an answer is, how many cases, which, and how they are parted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.schema.protocols import Outcome, gmai
from medloom.schema.protocols.gmai import VALIDATION_SHARE

Answer = tuple[str, str, str]


def cases(outcome: Outcome) -> dict[Answer, list[str]]:
    """Answer → keys of its cases."""
    found: dict[Answer, list[str]] = {}
    for row in outcome.items.to_pylist():
        if row["label_id"] is not None:
            found.setdefault((row["clinical_task"], row["granularity"], row["label"]), []).append(row["key"])
    return found


def shown(label: str, count: int, granularity: str = "image", **more) -> list[dict]:
    return [{"labels": [(label, "present", granularity)]} | more for _ in range(count)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 3), most=st.integers(1, 6), least=st.integers(1, 3))
def test_cases_are_capped_and_cost_their_clusters(tables, releases, *, data, seed: int, most: int, least: int):
    samples, annotations = tables(data.draw(releases))
    outcome = gmai(samples, annotations, seed=seed, cases=most, min_cases=least)
    rows = {row["key"]: row for row in samples.to_pylist()}
    for row in outcome.details:
        assert row["cases"] == (min(most, row["samples"]) if row["samples"] >= least else 0)
        answer = (row["clinical_task"], row["granularity"], row["label"])
        assert len(cases(outcome).get(answer, ())) == row["cases"] == row["validation"] + row["test"]
    for row in outcome.items.to_pylist():
        assert (row["label_id"] is None) == (row["split"] == "train")
        assert row["label_id"] is None or not rows[row["key"]]["provenance_low_information"]
        assert row["granularity"] != "point"
        assert row["clinical_task"] != "None"


def test_an_answer_is_a_task_a_granularity_and_a_label(tables):
    pictures = shown("a", 4) + shown("a", 4, "box") + shown("b", 4) + shown("e", 4) + shown("a", 4, "point")
    found = cases(gmai(*tables(pictures)))
    assert sorted(found) == [
        ("Disease Diagnosis", "box", "a"),
        ("Disease Diagnosis", "image", "a"),
        ("Disease Diagnosis", "image", "b"),
    ]
    assert "Labels without a clinical task, which are no answers: 1, namely e." in gmai(*tables(pictures)).notes


def test_masks_give_contours_and_contours_masks_with_the_same_cases(tables):
    found = cases(gmai(*tables(shown("a", 50, "mask") + shown("b", 9, "contour"))))
    for label, count in (("a", 30), ("b", 9)):
        masks, contours = (found["Disease Diagnosis", granularity, label] for granularity in ("mask", "contour"))
        assert masks == contours
        assert len(masks) == count


def test_a_state_that_repeats_a_region_is_no_image_level_case(tables):
    both = {"labels": [("a", "present", "image"), ("a", "present", "box"), ("b", "present", "image")]}
    pointed = {"labels": [("c", "present", "image"), ("c", "present", "point")]}
    found = cases(gmai(*tables([both] * 3 + [pointed] * 2)))
    assert {answer[1:]: len(keys) for answer, keys in found.items()} == {("image", "b"): 3, ("box", "a"): 3, ("image", "c"): 2}


def test_a_hundred_answers_are_parted_as_the_papers(tables):
    outcome = gmai(*tables([one for label in "abcd" for one in shown(label, 200)]), seed=4)
    assert [(row["validation"], row["test"]) for row in outcome.details] == [(5, 25)] * 4
    assert abs(5 / 30 - VALIDATION_SHARE) < 0.5 / 30


def test_shared_clusters_part_each_answer_as_near_as_they_can(tables):
    pictures = [{"labels": [(label, "present", "image") for label in labels]} for labels in ("ab", "a", "b", "abc", "cd") * 30]
    outcome = gmai(*tables(pictures))
    assert all(4 <= row["validation"] <= 7 for row in outcome.details)


def test_the_other_samples_of_a_cases_group_are_left_out(tables):
    made = tables([one for group in "123" for one in shown("a", 5, group=group)] + [{}] * 7)
    outcome = gmai(*made, cases=2)
    assert outcome.counts()["train"] == 5 + 7
    assert outcome.notes[0] == "In train: 12 samples; left out, since another of their cluster is a case: 8."


def test_the_releases_own_test_is_used_first(tables):
    pictures = shown("a", 10, split="test") + shown("a", 10, split="validation") + shown("a", 100)
    (row,) = gmai(*tables(pictures), cases=25).table
    assert (row["cases"], row["from_train"]) == (25, 5)


def test_a_group_gives_a_second_case_only_when_all_have_given_one(tables):
    made = tables(shown("a", 40, group="big") + shown("a", 4))
    group = dict(zip(made[0]["key"].to_pylist(), made[0]["group"].to_pylist(), strict=True))
    for most, big in ((3, 1), (5, 1), (6, 2), (30, 26)):
        (keys,) = cases(gmai(*made, cases=most)).values()
        assert Counter(group[key] for key in keys)["big"] <= big
        assert len(keys) == most


def test_sources_sexes_and_ages_take_turns(tables):
    pictures = (
        shown("a", 90, sex="male", age=50.0) + shown("a", 5, sex="female", age=50.0) + shown("a", 5, sex="male", age=12.0)
    )
    made = tables(pictures + shown("a", 5, source="q", sex="male", age=50.0))
    row = {one["key"]: one for one in made[0].to_pylist()}
    (keys,) = cases(gmai(*made, cases=20)).values()
    served = Counter((row[key]["source"], row[key]["subject_sex"], row[key]["subject_age_years"]) for key in keys)
    assert set(served.values()) == {5}


def test_looks_are_found_that_random_choice_misses(tables):
    random = np.random.default_rng(1)
    centres = random.integers(0, 256, (30, 32), np.uint8)
    look = np.repeat(np.arange(30), [2500] + [3] * 29)
    hashes = [(centres[one] ^ np.eye(1, 32, random.integers(32), dtype=np.uint8)[0]).tobytes().hex() for one in look]
    made = tables([{"labels": [("a", "present", "image")], "look": one} for one in hashes])
    (keys,) = cases(gmai(*made)).values()
    seen = {int(look[int(key.removeprefix("s-"))]) for key in keys}
    assert len(seen) > 20, "the pool is thinned by chance from 2587 to 2000, so not quite all"
    drawn = {int(look[one]) for one in random.choice(len(look), 30, replace=False)}
    assert len(drawn) < 8


def test_rare_answers_are_left_out_and_named(tables):
    made = tables(shown("a", 30) + shown("b", 2))
    outcome = gmai(*made, min_cases=3)
    assert [(row["answers"], row["short"], row["left_out"]) for row in outcome.table] == [(1, 0, 1)]
    assert "Answers left out, having fewer than 3 cases: 1, namely b (image, 2)." in outcome.notes
    assert outcome.counts()["train"] == 2
    assert "Answers with fewer than 30 cases: 1, namely b (image, 2)." in gmai(*made).notes


def test_missing_hashes_ages_and_sexes_are_no_fault(tables):
    samples, annotations = tables(shown("a", 40))
    place = samples.column_names.index("provenance_perceptual_hash")
    bare = samples.set_column(place, "provenance_perceptual_hash", pa.nulls(40, pa.string()))
    assert len(cases(gmai(bare, annotations)).popitem()[1]) == 30
