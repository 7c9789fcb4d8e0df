"""Quotas and seeded order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.protocols.deal import fill, places, ranks, shuffled, water_fill

SIZES = st.lists(st.integers(0, 40), max_size=30)


@given(SIZES, st.integers(0, 400))
def test_quotas_are_as_even_as_the_counts_allow(counts: list[int], total: int):
    quotas = water_fill(counts, total)
    assert sum(quotas) == min(total, sum(counts))
    assert all(0 <= quota <= count for quota, count in zip(quotas, counts, strict=True))
    for quota, count in zip(quotas, counts, strict=True):
        # none that has more could rise by taking from one with two more
        assert quota == count or max(quotas) <= quota + 1


def test_small_ones_are_taken_whole():
    assert water_fill([5, 100, 100], 60) == [5, 27, 28]
    assert water_fill([], 3) == []


@given(SIZES, st.floats(0, 300))
def test_filling_comes_near_and_is_never_over_by_more_than_one(sizes: list[int], target: float):
    taken = np.array(sizes, int)[fill(np.array(sizes, int), target)]
    assert abs(taken.sum() - target) <= target
    assert taken.sum() <= target or taken[:-1].sum() < target
    rest = np.array(sizes, int)[~fill(np.array(sizes, int), target)]
    smallest = rest[rest > 0].min(initial=1000)
    assert taken.sum() >= target or smallest > 2 * (target - taken.sum())


@given(SIZES, st.floats(0.01, 300))
def test_some_takes_one_where_two_or_more_could_give(sizes: list[int], target: float):
    chosen = fill(np.array(sizes, int), target, some=True)
    assert chosen.any() or (sum(size > 0 for size in sizes) < 2 and not fill(np.array(sizes, int), target).any())


def test_equal_sizes_give_the_share_to_half_a_size():
    for count in (5, 10, 33, 1000):
        chosen = fill(np.full(count, 7), 0.1 * 7 * count)
        assert abs(chosen.sum() - 0.1 * count) <= 0.5


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40), st.randoms())
def test_places_count_among_equals(pairs: list[tuple[int, int]], random):
    order = list(range(len(pairs)))
    random.shuffle(order)
    found = places(np.array(order, int), *np.array(pairs, int).reshape(-1, 2).T)
    for one, pair in enumerate(pairs):
        assert found[one] == sum(other == pair and order[at] < order[one] for at, other in enumerate(pairs))


@given(st.sets(st.text(max_size=5), max_size=30), st.integers(), st.randoms())
def test_the_order_of_names_depends_on_the_seed_and_themselves_alone(names: set[str], seed: int, random):
    every = sorted(names)
    some = sorted(random.sample(every, len(every) // 2))
    place = dict(zip(every, shuffled(seed, "sample", every), strict=True))
    assert sorted(place.values()) == list(range(len(every)))
    assert list(shuffled(seed, "sample", some)) == list(ranks(np.array([place[name] for name in some], int)))


def test_another_seed_or_kind_is_another_order():
    names = [str(one) for one in range(50)]
    orders = {tuple(shuffled(seed, kind, names)) for seed in (0, 1) for kind in ("sample", "cluster")}
    assert len(orders) == 4
