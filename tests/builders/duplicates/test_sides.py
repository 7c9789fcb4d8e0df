"""Whole groups go to one side, whatever the order, and nothing that no pair asks for moves."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.duplicates.sides import apart
from medloom.schema.errors import UsageError
from medloom.schema.protocols.clusters import components
from medloom.schema.sample import SPLITS

TEXT = pa.string()
SAMPLES = pa.schema([(name, TEXT) for name in ("key", "collection", "group", "split", "original_split")])
PAIRS = pa.schema([("a_key", TEXT), ("b_key", TEXT)])


def samples_of(*rows: tuple[str, str, str, str, str | None]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SAMPLES.names, row, strict=True)) for row in rows], SAMPLES)


def pairs_of(*keys: tuple[str, str]) -> pa.Table:
    return pa.Table.from_pylist([{"a_key": a, "b_key": b} for a, b in keys], PAIRS)


def fate(samples: pa.Table, pairs: pa.Table) -> dict[str, tuple[str, str | None]]:
    return {row["key"]: (row["split"], row["reason"]) for row in apart(samples, pairs).to_pylist()}


def test_a_group_dealt_by_a_hash_moves_whole_to_the_winning_side():
    samples = samples_of(
        ("a1", "A", "p", "train", None),
        ("a2", "A", "p", "train", None),
        ("b1", "B", "p", "test", None),
        ("b2", "B", "q", "validation", None),
        ("a3", "A", "r", "train", None),
    )
    found = fate(samples, pairs_of(("a1", "b1")))
    assert found == {
        "a1": ("test", None),
        "a2": ("test", None),
        "b1": ("test", None),
        "b2": ("validation", None),
        "a3": ("train", None),
    }


def test_an_owners_test_set_stays_what_it_is():
    samples = samples_of(("a1", "A", "p", "train", None), ("a2", "A", "p", "train", None), ("b1", "B", "p", "test", "test"))
    left = ("excluded", "near-duplicate-in-test")
    assert fate(samples, pairs_of(("b1", "a2"))) == {"a1": left, "a2": left, "b1": ("test", None)}


def test_an_owners_training_group_does_not_grow_that_owners_test_set():
    samples = samples_of(
        ("a1", "A", "p", "train", "train"), ("a2", "A", "q", "train", None), ("b1", "B", "p", "validation", None)
    )
    left = ("excluded", "near-duplicate-in-validation")
    assert fate(samples, pairs_of(("b1", "a1"), ("a2", "b1"))) == {"a1": left, "a2": left, "b1": ("validation", None)}


def test_a_split_that_a_protocol_dealt_anew_is_not_the_owners():
    samples = samples_of(("a1", "A", "p", "train", None), ("b1", "B", "p", "test", "train"))
    assert fate(samples, pairs_of(("a1", "b1")))["a1"] == ("test", None)


def test_a_chain_of_pairs_goes_to_the_highest_side_of_all():
    samples = samples_of(*((f"k{n}", "A", f"g{n}", "test" if n == 5 else "train", None) for n in range(8)))
    found = fate(samples, pairs_of(*((f"k{n}", f"k{n + 1}") for n in range(6))))
    assert [found[f"k{n}"][0] for n in range(8)] == ["test"] * 7 + ["train"]


def test_excluded_samples_stay_so_and_link_nothing():
    samples = samples_of(("a", "A", "p", "train", None), ("x", "A", "q", "excluded", None), ("b", "A", "r", "test", None))
    assert fate(samples, pairs_of(("a", "x"), ("x", "b"))) == {
        "a": ("train", None),
        "x": ("excluded", None),
        "b": ("test", None),
    }


def test_pairs_on_one_side_move_nothing():
    samples = samples_of(("a", "A", "p", "test", "test"), ("b", "B", "p", "test", None))
    assert {split for split, _ in fate(samples, pairs_of(("a", "b"))).values()} == {"test"}


def test_what_it_was_is_told_beside_what_it_is():
    samples = samples_of(("a", "A", "p", "train", None), ("b", "B", "p", "test", None))
    assert apart(samples, pairs_of(("a", "b")))["was"].to_pylist() == ["train", "test"]


def test_no_samples_no_pairs():
    assert apart(samples_of(), pairs_of()).num_rows == 0


def test_a_strange_key_or_split_is_refused():
    with pytest.raises(UsageError, match="'nobody'"):
        apart(samples_of(("a", "A", "p", "train", None)), pairs_of(("a", "nobody")))
    with pytest.raises(UsageError, match="split dev"):
        apart(samples_of(("a", "A", "p", "dev", None)), pairs_of())


@st.composite
def cases(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    """Groups on one side each, of collections with and without an owner's split, and any pairs."""
    rows: list[Any] = []
    owned = {name: draw(st.booleans()) for name in "AB"}
    for number in range(draw(st.integers(0, 12))):
        collection, split = draw(st.sampled_from("AB")), draw(st.sampled_from([*SPLITS, "train", "excluded"]))
        original = split if owned[collection] and split in SPLITS else None
        rows += [(f"k{number}-{n}", collection, f"g{number}", split, original) for n in range(draw(st.integers(1, 3)))]
    keys = st.sampled_from([row[0] for row in rows]) if rows else st.nothing()
    pairs = draw(st.lists(st.tuples(keys, keys), max_size=14)) if rows else []
    return samples_of(*rows), pairs_of(*pairs)


@given(cases(), st.integers(0, 9))
def test_nothing_crosses_groups_stay_whole_and_order_plays_no_part(case: tuple[pa.Table, pa.Table], seed: int):
    samples, pairs = case
    found = fate(samples, pairs)
    rows = {row["key"]: row for row in samples.to_pylist()}
    for pair in pairs.to_pylist():
        sides = {found[key][0] for key in pair.values()} - {"excluded"}
        assert len(sides) <= 1
    for group in {(row["collection"], row["group"]) for row in rows.values()}:
        assert len({found[key] for key, row in rows.items() if (row["collection"], row["group"]) == group}) == 1
    for key, (split, reason) in found.items():
        before = rows[key]
        assert before["split"] != "test" or split == "test"
        assert (reason is not None) == (split == "excluded" and before["split"] != "excluded")
        assert before["original_split"] is None or split in (before["original_split"], "excluded")
    shuffled = random.Random(seed)
    order = shuffled.sample(range(len(samples)), len(samples))
    turned = [(pair["b_key"], pair["a_key"]) for pair in shuffled.sample(pairs.to_pylist(), len(pairs))]
    assert fate(samples.take(pa.array(order, pa.int64())), pairs_of(*turned)) == found


@given(cases())
def test_a_second_time_changes_nothing(case: tuple[pa.Table, pa.Table]):
    samples, pairs = case
    once = apart(samples, pairs)
    again = apart(samples.set_column(3, "split", once["split"]), pairs)
    assert again["split"].to_pylist() == once["split"].to_pylist()
    assert again["reason"].null_count == len(again)


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_clusters_are_what_a_walk_reaches(count: int, edges: list[tuple[int, int]]):
    edges = [(a % count, b % count) for a, b in edges]
    reached = [{n} for n in range(count)]
    for _ in range(count):
        for a, b in edges:
            reached[a] |= reached[b]
            reached[b] |= reached[a]
    a, b = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
    assert components(count, a, b).tolist() == [min(some) for some in reached]
