"""The order of epochs: pure, without repeats, and as mixed as the arguments say."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from itertools import islice, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medloom.train.data.lanes import lanes
from medloom.train.data.order import Portion, drawn, draws, epoch_order, permutation

seeds = st.integers(0, 2**63 - 1)
epochs = st.integers(0, 2**40)
sizes = st.integers(1, 60)


@given(st.integers(0, 300), seeds, epochs)
def test_a_permutation_holds_every_number_once(count: int, seed: int, epoch: int):
    found = permutation(count, seed=seed, epoch=epoch, stream=0)
    assert sorted(found.tolist()) == list(range(count))
    assert found.dtype == np.int64


def test_a_permutation_is_the_same_on_every_machine():
    found = permutation(1000, seed=7, epoch=3, stream=0)
    digest = hashlib.sha256(found.astype("<i8").tobytes()).hexdigest()
    assert found[:6].tolist() == FIRST
    assert digest == DIGEST


FIRST = [877, 293, 104, 182, 674, 546]
DIGEST = "890a9b9d88f5cf54d50c50bf6982b154d06746dd330c48f01139a007f3c95216"


def test_it_differs_by_seed_epoch_and_stream():
    ways = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    found = [permutation(50, seed=seed, epoch=epoch, stream=stream).tolist() for seed, epoch, stream in ways]
    assert len(set(map(tuple, found))) == 4


def test_another_process_draws_the_same():
    code = "from medloom.train.data.order import permutation; print(permutation(20, seed=5, epoch=2, stream=1).tolist())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == str(permutation(20, seed=5, epoch=2, stream=1).tolist())


@given(sizes, st.data(), seeds, epochs)
def test_a_share_takes_no_row_twice(rows: int, data: st.DataObject, seed: int, epoch: int):
    taken = data.draw(st.integers(0, rows))
    found = drawn(Portion(rows, taken), seed=seed, epoch=epoch, stream=1)
    assert len(set(found.tolist())) == len(found) == taken
    assert all(0 <= one < rows for one in found)


@given(sizes, st.integers(0, 200), seeds, epochs)
def test_repeats_are_even(rows: int, taken: int, seed: int, epoch: int):
    counts = Counter(drawn(Portion(rows, taken), seed=seed, epoch=epoch, stream=1).tolist())
    assert sum(counts.values()) == taken
    assert {counts[row] for row in range(rows)} <= {taken // rows, taken // rows + 1}


@given(sizes, st.data(), seeds)
def test_rows_of_a_share_come_again_only_after_a_round(rows: int, data: st.DataObject, seed: int):
    taken = data.draw(st.integers(1, rows))
    turns = rows // taken
    for begin in (0, turns, 5 * turns):
        found = [drawn(Portion(rows, taken), seed=seed, epoch=begin + one, stream=1) for one in range(turns)]
        assert len(set(np.concatenate(found).tolist())) == turns * taken


@given(st.lists(st.tuples(sizes, sizes), min_size=1, max_size=4), seeds, epochs, st.integers(1, 9))
def test_an_epoch_holds_what_its_portions_take(given: list[tuple[int, int]], seed: int, epoch: int, block: int):
    portions = tuple(Portion(rows, taken) for rows, taken in given)
    order = epoch_order(portions, seed=seed, epoch=epoch, block=block)
    begins = np.cumsum([0, *(one.rows for one in portions)])
    expected = [drawn(one, seed=seed, epoch=epoch, stream=number + 1) + begins[number] for number, one in enumerate(portions)]
    assert Counter(order.tolist()) == Counter(np.concatenate(expected).tolist())


@given(st.lists(sizes, min_size=1, max_size=4), seeds, epochs, st.integers(2, 9))
def test_blocks_stay_together(rows: list[int], seed: int, epoch: int, block: int):
    portions = tuple(Portion(one, one) for one in rows)
    order = epoch_order(portions, seed=seed, epoch=epoch, block=block).tolist()
    begins = np.cumsum([0, *rows]).tolist()
    of_row = {}
    for number, (begin, size) in enumerate(zip(begins, rows, strict=False)):
        of_row |= {begin + row: (number, row // block) for row in range(size)}
    blocks = [of_row[row] for row in order]
    changes = 1 + sum(one != other for one, other in pairwise(blocks))
    assert changes == len(set(blocks))


def test_blocks_are_mixed_and_rows_within_them_too():
    order = epoch_order((Portion(4000, 4000),), seed=1, epoch=0, block=8)
    first = order[::8] // 8
    assert not np.array_equal(first, np.sort(first))
    assert abs(np.corrcoef(np.arange(500), first)[0, 1]) < 0.15
    within = order.reshape(-1, 8) % 8
    assert len({tuple(one) for one in within.tolist()}) > 400


@given(st.lists(st.tuples(st.integers(50, 400), st.floats(0.1, 3)), min_size=1, max_size=3), st.floats(0.01, 0.9))
def test_the_general_share_is_kept(rows: list[tuple[int, float]], share: float):
    *parts, general = draws(rows, [(30, share)])
    whole = general.draws + sum(one.draws for one in parts)
    assert abs(general.draws - share * whole) <= 1
    assert [one.draws for one in parts] == [round(size * weight) for size, weight in rows]


def test_general_sets_alone_are_taken_whole():
    assert draws([], [(30, 0.1), (5, 0.2)]) == [Portion(30, 30), Portion(5, 5)]


deals = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(0, 40))


@given(deals, st.integers(0, 30))
def test_lanes_deal_every_row_of_whole_steps_once(deal: tuple[int, int, int, int], extra: int):
    batch, world, workers, _ = deal
    rows = batch * world * 3 + extra
    steps = rows // (batch * world)
    each = max(workers, 1)
    found: list[tuple[int, int]] = []
    for number, lane in enumerate(lanes(batch=batch, world=world, workers=workers)):
        own = len(range(number % each, 2 * steps, each))
        for begin, end, epoch in islice(lane.batches(rows), own):
            found += [(epoch, row) for row in range(begin, end)]
    whole = steps * batch * world
    assert Counter(found) == Counter((epoch, row) for epoch in range(2) for row in range(whole))


@given(deals)
def test_workers_don_t_change_the_batches_of_a_rank(deal: tuple[int, int, int, int]):
    batch, world, workers, start = deal
    rows, each = batch * world * 7 + 1, max(workers, 1)
    for rank in range(world):
        [alone] = [lane for lane in lanes(batch=batch, world=world, workers=0, start=start) if lane.rank == rank]
        expected = list(islice(alone.batches(rows), 12))
        own = [lane.batches(rows) for lane in lanes(batch=batch, world=world, workers=workers, start=start)]
        turns = own[rank * each : (rank + 1) * each]
        assert [next(turns[step % each]) for step in range(12)] == expected


@given(deals)
def test_a_start_skips_so_many_batches(deal: tuple[int, int, int, int]):
    batch, world, _, start = deal
    rows = batch * world * 7 + 3
    for rank in range(world):
        whole, late = (
            next(lane for lane in lanes(batch=batch, world=world, workers=0, start=one) if lane.rank == rank)
            for one in (0, start)
        )
        assert list(islice(late.batches(rows), 9)) == list(islice(whole.batches(rows), start, start + 9))
