"""Candidates against brute force, with any order, threads and crowds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.builders.duplicates import search
from medloom.builders.duplicates.search import Candidates, Side, candidates, equal

BITS = 20


def flipped(hashes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The hashes with so many bits of each turned over."""
    random = np.random.default_rng(seed)
    mask = np.zeros((len(hashes), 256), np.uint8)
    for row in mask:
        row[random.choice(256, count, replace=False)] = 1
    return hashes ^ np.packbits(mask, axis=1)


def some(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def links(found: Candidates, groups: np.ndarray) -> set[frozenset[int]]:
    """Connected sets of groups."""
    root = {int(group): int(group) for group in groups}

    def top(group: int) -> int:
        while root[group] != group:
            group = root[group]
        return group

    for i, j in zip(found.i, found.j, strict=True):
        root[top(int(groups[i]))] = top(int(groups[j]))
    sets: dict[int, set[int]] = {}
    for group in root:
        sets.setdefault(top(group), set()).add(group)
    return {frozenset(one) for one in sets.values()}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.integers(0, 6)), max_size=40),
    st.randoms(use_true_random=False),
)
def test_links_are_those_of_brute_force_in_any_order(drawn, random):
    base = some(6)
    hashes = np.array([flipped(base[one : one + 1], bits, bits)[0] for one, bits, _ in drawn], np.uint8).reshape(-1, 32)
    groups = np.array([group for _, _, group in drawn], np.int64)
    found = candidates(Side(hashes, groups), max_bits=BITS)
    truth = np.bitwise_count(hashes[:, None] ^ hashes[None]).sum(-1) if len(hashes) else np.zeros((0, 0))
    i, j = np.nonzero(np.triu(truth <= BITS, 1) & (groups[:, None] != groups[None]))
    everything = Candidates(i=i, j=j, distance=i, window=i, cut_first=i > j)
    assert links(found, groups) == links(everything, groups)
    assert all(truth[a, b] == bits <= BITS for a, b, bits in zip(found.i, found.j, found.distance, strict=True))
    assert (found.i < found.j).all()
    assert (groups[found.i] != groups[found.j]).all()
    assert set(np.concatenate([found.i, found.j])) == set(np.concatenate([i, j]))
    order = list(range(len(drawn)))
    random.shuffle(order)
    again = candidates(Side(hashes[order], groups[order]), max_bits=BITS)
    assert links(again, groups[order]) == links(found, groups)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=20), st.lists(st.integers(0, 12), max_size=20))
def test_across_two_sides_everyone_with_a_partner_is_named(left, right):
    base = some(3)
    first, second = (
        np.array([flipped(base[n % 3][None], bits, bits)[0] for n, bits in enumerate(bits)], np.uint8).reshape(-1, 32)
        for bits in (left, right)
    )
    found = candidates(Side(first), Side(second), max_bits=BITS)
    near = np.bitwise_count(first[:, None] ^ second[None]).sum(-1) <= BITS
    assert set(found.i) == set(np.flatnonzero(near.any(1)))
    assert set(found.j) == set(np.flatnonzero(near.any(0)))
    assert near[found.i, found.j].all()


def test_a_large_set_finds_what_was_planted_with_any_threads_and_order():
    base = some(6000)
    hashes = np.concatenate([base, flipped(base[:300], 12, 1)])
    found = candidates(Side(hashes), max_bits=BITS)
    planted = {(n, 6000 + n) for n in range(300)}
    pairs = list(zip(found.i.tolist(), found.j.tolist(), strict=True))
    assert len(planted & set(pairs)) >= 240  # random bits are the hardest case: pictures crowd together in lists
    twice = candidates(Side(hashes), max_bits=BITS, threads=3)
    assert pairs == list(zip(twice.i.tolist(), twice.j.tolist(), strict=True))
    order = np.random.default_rng(3).permutation(len(hashes))
    shuffled = candidates(Side(hashes[order]), max_bits=BITS)
    assert {frozenset(pair) for pair in pairs} == {
        frozenset((int(order[i]), int(order[j]))) for i, j in zip(shuffled.i, shuffled.j, strict=True)
    }


def test_windows_are_asked_with_and_named():
    hashes = some(40)
    crops = some(40, 1)
    windows = np.stack([hashes, some(40, 2), crops], axis=1)
    found = candidates(Side(hashes, views=lambda rows: windows[rows]), Side(crops), max_bits=BITS)
    assert list(zip(found.i, found.j, strict=True)) == [(n, n) for n in range(40)]
    assert (found.window == 2).all()
    assert found.cut_first.all()
    assert (found.distance == 0).all()
    back = candidates(Side(crops), Side(hashes, views=lambda rows: windows[rows]), max_bits=BITS)
    assert len(back) == 40
    assert not back.cut_first.any()


def test_within_a_side_the_cut_picture_is_told_from_the_whole():
    hashes = some(2)
    windows = np.stack([hashes, np.stack([some(1, 5)[0], hashes[0]])], axis=1)
    found = candidates(Side(hashes, views=lambda rows: windows[rows]), max_bits=BITS)
    assert (found.i[0], found.j[0], found.window[0], found.cut_first[0]) == (0, 1, 1, False)


@pytest.mark.parametrize("count", [1000, 4000])
def test_a_bunch_of_identical_hashes_grows_with_its_members(count):
    hashes = np.tile(some(1), (count, 1))
    found = candidates(Side(hashes), max_bits=BITS)
    assert found.asked == 1
    assert count - 1 <= len(found) <= 2 * count
    assert set(found.i) | set(found.j) == set(range(count))
    assert len(equal(Side(hashes))) == count - 1
    across = candidates(Side(hashes), Side(hashes[:100]), max_bits=BITS)
    assert len(across) <= count + 100
    assert across.asked == 2


def test_large_near_bunches_grow_with_their_members():
    heads = np.concatenate([some(1), flipped(some(1), 4, 0), flipped(some(1), 4, 1)])
    hashes = np.repeat(heads, 500, axis=0)
    found = candidates(Side(hashes, np.arange(1500) % 7), max_bits=BITS)
    assert len(found) <= 6 * 1500
    assert set(found.i) | set(found.j) == set(range(1500))


def test_a_group_never_pairs_with_itself_and_is_counted():
    base = some(1)
    hashes = np.concatenate([base, flipped(base, 3, 0), flipped(base, 6, 1)])
    found = candidates(Side(hashes, np.zeros(3, int)), max_bits=BITS)
    assert len(found) == 0
    assert found.same_group == 3


def test_a_crowd_of_ones_own_group_does_not_hide_a_copy():
    base = some(1)
    frames = np.concatenate([flipped(base, 1 + n % 3, n) for n in range(400)])
    hashes = np.concatenate([base, frames, flipped(base, 9, 1)])
    groups = np.zeros(len(hashes), int)
    groups[-1] = 1
    found = candidates(Side(hashes, groups), max_bits=BITS)
    assert (0, len(hashes) - 1) in set(zip(found.i, found.j, strict=True))
    assert found.crowded == 0


def test_what_no_room_holds_is_counted(monkeypatch):
    monkeypatch.setattr(search, "ANSWERS", (2, 4))
    base = some(1)
    hashes = np.concatenate([flipped(base, 2, n) for n in range(60)])
    found = candidates(Side(hashes), max_bits=BITS)
    assert found.crowded > 0
    assert found.asked == len(np.unique(hashes, axis=0))


def test_equal_hashes_across_two_sides():
    first, second = some(6), np.concatenate([some(3), some(2, 9), some(1)])
    found = equal(Side(first), Side(second))
    assert list(zip(found.i, found.j, strict=True)) == [(0, 0), (0, 5), (1, 1), (2, 2)]


def test_nothing_gives_nothing():
    empty = np.zeros((0, 32), np.uint8)
    for found in (
        candidates(Side(empty)),
        candidates(Side(empty), Side(some(3))),
        equal(Side(empty)),
        equal(Side(empty), Side(some(2))),
    ):
        assert len(found) == 0


def test_progress_counts_pictures():
    seen: list[tuple[int, int]] = []
    candidates(Side(some(50)), Side(some(20, 1)), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(50, 70), (70, 70)]
