"""Med-MAT's rules: sides, caps, evenness, what is out-of-distribution, strictly balanced tests."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.schema.protocols import Outcome, medmat


def per_label(outcome: Outcome, split: str) -> dict[str, Counter[str]]:
    """Subset → label → items."""
    found: dict[str, Counter[str]] = {}
    for row in outcome.items.to_pylist():
        if row["split"] == split:
            found.setdefault(row["subset"], Counter())[row["label"]] += 1
    return found


def shown(label: str, count: int, **more) -> list[dict]:
    return [{"labels": [(label, "present", "image")]} | more for _ in range(count)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 3), cap=st.integers(1, 12), floor=st.integers(1, 3))
def test_caps_evenness_and_balance(tables, releases, *, data, seed: int, cap: int, floor: int):
    samples, annotations = tables(data.draw(releases))
    outcome = medmat(samples, annotations, seed=seed, cap=cap, min_test_per_label=floor)
    pools: dict[str, dict[str, int]] = {}
    for row in outcome.details:
        pools.setdefault(row["subset"], {})[row["label"]] = row["train_pool"]
        assert row["test"] == 0 or row["test_pool"] >= max(floor, row["test"])
        assert row["train"] == per_label(outcome, "train").get(row["subset"], {}).get(row["label"], 0)
        assert row["test"] == per_label(outcome, "test").get(row["subset"], {}).get(row["label"], 0)
    for subset, counts in per_label(outcome, "train").items():
        assert sum(counts.values()) == cap, "whoever reaches the cap gets it whole"
        for label, pool in pools[subset].items():
            assert counts[label] == pool or max(counts.values()) <= counts[label] + 1
    for counts in per_label(outcome, "test").values():
        assert len(set(counts.values())) == 1
    for row in outcome.table:
        assert (row["train"] > 0) == (row["distribution"] == "ID") == (row["train_samples"] >= cap)


def test_an_owners_split_stands_and_validation_is_unused_beside_a_test(tables):
    pictures = [one for split in ("train", "validation", "test") for one in shown("a", 20, original_split=split)]
    made = tables(pictures)
    outcome = medmat(*made, cap=5)
    original = dict(zip(made[0]["key"].to_pylist(), made[0]["original_split"].to_pylist(), strict=True))
    assert all(original[row["key"]] == row["split"] for row in outcome.splits().to_pylist())
    assert outcome.counts() == {"train": 5, "validation": 0, "test": 20}
    assert outcome.table[0]["left_out"] == "15 to train: over the cap; 20 of the owner's validation"


def test_validation_serves_as_test_where_the_owner_has_none(tables):
    pictures = shown("a", 20, original_split="train") + shown("a", 4, original_split="validation")
    assert medmat(*tables(pictures), cap=5).counts() == {"train": 5, "validation": 0, "test": 4}


def test_training_names_alone_are_no_split_of_an_owner(tables):
    assert medmat(*tables(shown("a", 100, original_split="train")), cap=5).counts()["test"] == 10


def test_an_owners_test_picture_takes_its_whole_cluster(tables):
    copy = {"pixels": "same", "labels": [("a", "present", "image")]}
    tested = [copy | {"source": "p", "original_split": "test", "group": "1"}, *shown("a", 1, source="p", group="1")]
    dealt = [copy | {"source": "q", "collection": "d", "group": "2"}, *shown("a", 9, source="q", collection="d", group="2")]
    assert medmat(*tables(tested + dealt), cap=1).counts() == {"train": 0, "validation": 0, "test": 12}


def test_nine_to_one_by_collection_counts_labelled_samples(tables):
    pictures = [one for name in "mn" for one in shown("a", 40, collection=name)] + [{}] * 500
    outcome = medmat(*tables(pictures), cap=1)
    assert outcome.details[0]["test_pool"] == 8
    assert outcome.details[0]["train_pool"] == 72


def test_two_groups_are_enough_for_a_test(tables):
    pictures = shown("a", 9, group="1") + shown("a", 3, group="2")
    outcome = medmat(*tables(pictures), cap=9)
    assert outcome.counts() == {"train": 9, "validation": 0, "test": 3}
    assert medmat(*tables(shown("a", 9, group="1")), cap=9).counts()["test"] == 0


def test_the_subset_that_misses_the_cap_is_only_tested(tables):
    pictures = shown("a", 60) + shown("d", 20)
    first, second = medmat(*tables(pictures), cap=40).table
    assert (first["subset"], first["distribution"], first["train"], first["test"] > 0) == ("ct-head", "OOD", 0, True)
    assert (second["subset"], second["distribution"], second["train"]) == ("xr-lung", "ID", 40)
    assert first["left_out"].endswith("to train: fewer samples than the cap")


def test_a_picture_with_many_labels_counts_once_towards_the_cap_and_serves_each(tables):
    three = [("a", "present", "image"), ("b", "present", "image"), ("c", "present", "image")]
    made = tables(
        [{"labels": three, "source": "p", "original_split": "train"}] * 10 + [{"source": "p", "original_split": "test"}]
    )
    assert medmat(*made, cap=11).table[0]["distribution"] == "OOD"
    outcome = medmat(*made, cap=10)
    assert sorted(per_label(outcome, "train")["xr-lung"].values()) == [3, 3, 4]


def test_absent_and_uncertain_labels_and_regions_are_no_items(tables):
    labels = [("a", "absent", "image"), ("b", "uncertain", "image"), ("c", "present", "mask")]
    outcome = medmat(*tables([{"labels": labels}] * 20), cap=1)
    assert not outcome.items.num_rows
    assert outcome.table == ()
    assert outcome.notes == ("Subsets without a label that is present: 1, with 20 samples.",)


def test_samples_of_a_subset_that_show_none_of_its_labels_are_counted(tables):
    made = tables(shown("a", 20, original_split="test") + [{"labels": [("a", "absent", "image")]}] * 7)
    assert medmat(*made).table[0]["left_out"] == "7 without a label that is present"


def test_a_floor_keeps_a_lone_case_from_shrinking_the_test(tables):
    pictures = [one for label, count in (("a", 30), ("b", 20), ("c", 1)) for one in shown(label, count, original_split="test")]
    made = tables(pictures)
    assert per_label(medmat(*made), "test")["xr-lung"] == {"a": 1, "b": 1, "c": 1}
    floored = medmat(*made, min_test_per_label=2)
    assert per_label(floored, "test")["xr-lung"] == {"a": 20, "b": 20}
    assert "not tested: c" in floored.table[0]["left_out"]


def test_items_are_spread_over_groups_before_any_gives_a_second(tables):
    pictures = shown("a", 50, group="big", original_split="train") + shown("a", 5, original_split="train")
    made = tables([*pictures, *shown("a", 1, original_split="test")])
    taken = medmat(*made, cap=6)
    group = dict(zip(made[0]["key"].to_pylist(), made[0]["group"].to_pylist(), strict=True))
    train = taken.splits().filter(pa.array([one == "train" for one in taken.splits()["split"].to_pylist()]))
    assert len({group[key] for key in train["key"].to_pylist()}) == 6


def test_many_labels_without_a_test_are_counted(tables):
    made = tables(shown("a", 20, original_split="test") + shown("b", 20, original_split="train"))
    assert medmat(*made).table[0]["left_out"] == "20 to train: fewer samples than the cap; not tested: b"
