"""Splits: nothing crosses, the owner's test set stands, and the order of samples says nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.builders.split import EXCLUDED, MIN_GROUPS, Fate, decide, share_of
from medloom.schema.sample import SPLITS

Rows = list[tuple[int, str, int, bool]]
"""Group, the owner's split, pixels, blank."""

OWNERS = st.sampled_from(["", *SPLITS])
GROUPS = st.integers(0, 30)
PIXELS = st.integers(0, 25)
OWNED: st.SearchStrategy[Rows] = st.lists(st.tuples(GROUPS, OWNERS, PIXELS, st.booleans()), max_size=60)
HASHED: st.SearchStrategy[Rows] = st.lists(st.tuples(GROUPS, st.just(""), PIXELS, st.booleans()), max_size=60)
RANK = {name: place for place, name in enumerate(SPLITS)}


def fate_of(rows: Rows, *, rename=lambda group: f"g{group}") -> Fate:
    groups, original, pixels, blank = zip(*rows, strict=True) if rows else ((), (), (), ())
    return decide(
        groups=np.array([rename(group) for group in groups], dtype="U9"),
        shares=np.array([share_of("c", str(group)) for group in groups], dtype=float),
        original=np.array(original, dtype="U10"),
        pixels=np.array(pixels, dtype=int),
        blank=np.array(blank, dtype=bool),
    )


@settings(deadline=None, max_examples=150)
@given(OWNED | HASHED)
def test_nothing_crosses(rows: Rows):
    fate = fate_of(rows)
    groups: dict[int, set[str]] = {}
    pictures: dict[int, set[str]] = {}
    for (group, _, pixels, blank), split in zip(rows, fate.split, strict=True):
        if split != EXCLUDED:
            groups.setdefault(group, set()).add(split)
            if not blank:
                pictures.setdefault(pixels, set()).add(split)
    assert all(len(splits) == 1 for splits in (*groups.values(), *pictures.values()))


@settings(deadline=None, max_examples=150)
@given(OWNED)
def test_the_owners_splits_stand_or_lose_to_a_higher_one(rows: Rows):
    fate = fate_of(rows)
    if not any(original for _, original, _, _ in rows):
        return
    for (_, original, _, _), split, reason in zip(rows, fate.split, fate.reason, strict=True):
        wanted = original or "train"
        assert split in (wanted, EXCLUDED)
        if wanted == "test":
            assert split == "test"
        if split == EXCLUDED:
            assert RANK[reason.rsplit("-", 1)[1]] > RANK[wanted]
        assert (reason == "") == (split != EXCLUDED)


@settings(deadline=None, max_examples=100)
@given(OWNED | HASHED, st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_nothing(rows: Rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    fate, other = fate_of(rows), fate_of([rows[place] for place in order])
    assert [fate.split[place] for place in order] == list(other.split)
    assert [fate.reason[place] for place in order] == list(other.reason)


@settings(deadline=None, max_examples=100)
@given(OWNED | HASHED)
def test_pseudonyms_of_groups_change_nothing(rows: Rows):
    """A private salt moves the groups' names, never a split."""
    fate, other = fate_of(rows), fate_of(rows, rename=lambda group: f"{(group * 7919) % 31:05d}")
    assert list(fate.split) == list(other.split)


@settings(deadline=None, max_examples=100)
@given(HASHED)
def test_without_duplicates_nobody_is_left_out(rows: Rows):
    rows = [(group, original, place, blank) for place, (group, original, _, blank) in enumerate(rows)]
    fate = fate_of(rows)
    assert EXCLUDED not in fate.split
    if len({group for group, *_ in rows}) < MIN_GROUPS:
        assert set(fate.split) <= {"train"}


def test_blank_pictures_are_nobodys_copies():
    rows = [(0, "test", 5, True), (1, "train", 5, True), (2, "train", 5, False), (3, "validation", 6, False)]
    assert list(fate_of(rows).split) == ["test", "train", "train", "validation"]


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        ([(0, "test", 1, False), (0, "train", 2, False)], ["", "group-in-test"]),
        ([(0, "validation", 1, False), (0, "train", 2, False)], ["", "group-in-validation"]),
        ([(0, "test", 1, False), (0, "validation", 2, False), (0, "", 3, False)], ["", "group-in-test", "group-in-test"]),
        ([(0, "test", 1, False), (1, "train", 1, False)], ["", "pixels-in-test"]),
        ([(0, "validation", 1, False), (1, "", 1, False)], ["", "pixels-in-validation"]),
        ([(0, "train", 1, False), (1, "train", 1, False)], ["", ""]),
        # a copy that is left out already can't put another one out
        (
            [(0, "test", 1, False), (0, "validation", 2, False), (1, "train", 2, False)],
            ["", "group-in-test", ""],
        ),
    ],
)
def test_reasons(rows: Rows, reasons: list[str]):
    assert list(fate_of(rows).reason) == reasons


def test_shares_come_near_80_10_10():
    rows = [(group, "", group, False) for group in range(5000)]
    found = Counter(fate_of(rows).split)
    assert {split: round(found[split] / 5000, 1) for split in SPLITS} == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert abs(found["train"] - 4000) < 120


@pytest.mark.parametrize(("groups", "splits"), [(9, {"train"}), (10, {"train", "validation", "test"})])
def test_ten_groups_are_needed(groups: int, splits: set[str]):
    shares = np.linspace(0, 0.99, groups)
    fate = decide(
        groups=np.array([f"g{n}" for n in range(groups)]),
        shares=shares,
        original=np.full(groups, ""),
        pixels=np.arange(groups),
        blank=np.zeros(groups, bool),
    )
    assert set(fate.split) == splits


def test_no_validation_set_is_invented_beside_the_owners():
    rows = [(group, "test" if group < 5 else "", group, False) for group in range(200)]
    assert Counter(fate_of(rows).split) == {"train": 195, "test": 5}


def test_where_a_group_falls_is_fixed_for_ever():
    assert share_of("bccd", "patient 1") == pytest.approx(0.61863874465006)
    assert share_of("bccd", "patient 1") != share_of("other", "patient 1")
    assert 0 <= share_of("c", "caf\udce9") < 1


def test_no_samples():
    assert [len(array) for array in (fate_of([]).split, fate_of([]).reason)] == [0, 0]
