"""MIMOSeg's rules: who takes part, and shares that come as near as whole clusters allow."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.schema.protocols import mimoseg


def masked(count: int, granularity: str = "mask", **more) -> list[dict]:
    return [{"labels": [("a", "present", granularity)]} | more for _ in range(count)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sizes=st.lists(st.integers(1, 30), max_size=120), seed=st.integers(0, 3))
def test_shares_miss_by_no_more_than_the_wanted_and_never_by_a_second_cluster(tables, *, sizes: list[int], seed: int):
    pictures = [one for group, size in enumerate(sizes) for one in masked(size, group=str(group))]
    outcome = mimoseg(*tables(pictures), seed=seed)
    counts, wanted = outcome.counts(), 0.005 * len(pictures)
    assert sum(counts.values()) == len(pictures)
    for split in ("validation", "test"):
        assert abs(counts[split] - wanted) <= wanted
    assert [row["samples"] for row in outcome.table] == list(counts.values())
    assert sum(row["share"] for row in outcome.table) == pytest.approx(1 if pictures else 0, abs=2e-5)


def test_a_thousand_single_samples_are_parted_exactly(tables):
    outcome = mimoseg(*tables(masked(1000)))
    assert outcome.counts() == {"train": 990, "validation": 5, "test": 5}
    assert [(row["split"], row["share"], row["wanted"], row["clusters"]) for row in outcome.table] == [
        ("train", 0.99, 0.99, 990),
        ("validation", 0.005, 0.005, 5),
        ("test", 0.005, 0.005, 5),
    ]
    assert outcome.notes == ()


def test_few_clusters_are_all_train_and_the_notes_say_so(tables):
    outcome = mimoseg(*tables(masked(50)))
    assert outcome.counts() == {"train": 50, "validation": 0, "test": 0}
    assert outcome.notes == tuple(
        f"Nothing is in {split}: no cluster is small enough for 0.5% of 50 samples." for split in ("validation", "test")
    )


def test_a_large_cluster_is_passed_by(tables):
    made = tables(masked(900, group="video") + masked(100))
    for seed in range(5):
        outcome = mimoseg(*made, seed=seed)
        assert outcome.counts() == {"train": 990, "validation": 5, "test": 5}


def test_only_masks_and_contours_take_part_and_serve_each_label(tables):
    several = {
        "labels": [("a", "present", "mask"), ("a", "present", "mask"), ("b", "present", "contour"), ("c", "absent", "mask")]
    }
    pictures = [several, *masked(1, "box"), *masked(1, "point"), *masked(1, "image"), {}]
    outcome = mimoseg(*tables(pictures))
    assert [(row["label"], row["granularity"]) for row in outcome.items.to_pylist()] == [("b", "contour"), ("a", "mask")]
    assert outcome.notes[0] == "Left out, having neither mask nor contour: 4 samples."
    assert outcome.details == (
        {"label": "a", "label_id": "id-a", "granularity": "mask", "train": 1, "validation": 0, "test": 0},
        {"label": "b", "label_id": "id-b", "granularity": "contour", "train": 1, "validation": 0, "test": 0},
    )
