"""Intervals against scipy and statsmodels, plain loops, and simulated worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from medloom.train.scoring.statistics import (
    Sums,
    bca,
    draws,
    effective,
    interval,
    percentile,
    resampled,
    sums,
    wilson,
    without_each,
)


def drawn_world(groups: int = 12, *, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (N×2), ones, and group names; the second measure isn't there in all rows."""
    chance = np.random.default_rng(seed)
    names = np.repeat([f"g{number}" for number in range(groups)], chance.integers(1, 6, groups))
    top, bottom = chance.random((len(names), 2)), np.ones((len(names), 2))
    bottom[::3, 1] = top[::3, 1] = 0
    return top, bottom, names


def test_sums_by_group_are_those_of_a_loop():
    top, bottom, names = drawn_world()
    one = sums(top, bottom, names)
    for place, name in enumerate(sorted(set(names))):
        assert one.top[place] == pytest.approx(top[names == name].sum(axis=0))
        assert one.bottom[place] == pytest.approx(bottom[names == name].sum(axis=0))
    assert one.ratio == pytest.approx([top[:, 0].mean(), top[bottom[:, 1] > 0, 1].mean()])


def test_a_draw_is_what_a_loop_over_groups_gives():
    top, bottom, names = drawn_world()
    one = sums(top, bottom, names)
    counts = next(draws(len(one.top), seed=7, resamples=5))
    for row, drawn in zip(counts, one.drawn(counts), strict=True):
        rows = np.concatenate(
            [np.flatnonzero(names == name) for name, n in zip(sorted(set(names)), row, strict=True) for _ in range(int(n))]
        )
        assert drawn == pytest.approx(top[rows].sum(axis=0) / bottom[rows].sum(axis=0))
    assert (counts.sum(axis=1) == len(one.top)).all()


def test_left_out_groups_are_those_of_a_loop():
    top, bottom, names = drawn_world()
    found = without_each(sums(top, bottom, names))
    for place, name in enumerate(sorted(set(names))):
        assert found[place] == pytest.approx(top[names != name].sum(axis=0) / bottom[names != name].sum(axis=0))


def test_draws_are_seeded_and_do_not_depend_on_how_many_are_held_at_once(monkeypatch: pytest.MonkeyPatch):
    one = sums(*drawn_world())
    whole = resampled(one, seed=5, resamples=40)
    assert np.array_equal(whole, resampled(one, seed=5, resamples=40))
    assert not np.array_equal(whole, resampled(one, seed=6, resamples=40))
    monkeypatch.setattr("medloom.train.scoring.statistics._AT_ONCE", 12 * 7)
    assert np.array_equal(whole, resampled(one, seed=5, resamples=40))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_are_scipys(method: str):
    values = np.random.default_rng(11).exponential(size=60)
    one = sums(values[:, None], np.ones((60, 1)), [f"{place:03}" for place in range(60)])
    ours = interval(one, seed=1, resamples=20_000, method=method)[:, 0]
    theirs = stats.bootstrap(
        (values,), np.mean, method=method, n_resamples=20_000, rng=np.random.default_rng(2), vectorized=True
    ).confidence_interval
    assert ours == pytest.approx([theirs.low, theirs.high], abs=0.012)


def test_both_methods_agree_with_scipy_on_the_same_draws():
    """BCa of given draws, written out once more from Efron's formulas."""
    values = np.random.default_rng(4).exponential(size=25)
    one = sums(values[:, None], np.ones((25, 1)), [f"{place:03}" for place in range(25)])
    drawn, left = resampled(one, seed=1, resamples=4000), without_each(one)
    shift = stats.norm.ppf((drawn < values.mean()).mean() + 0.5 * (drawn == values.mean()).mean())
    gap = left.mean() - left[:, 0]
    acceleration = (gap**3).sum() / (6 * (gap**2).sum() ** 1.5)
    ends = [shift + stats.norm.ppf(share) for share in (0.025, 0.975)]
    shares = [stats.norm.cdf(shift + end / (1 - acceleration * end)) for end in ends]
    assert bca(one.ratio, drawn, left)[:, 0] == pytest.approx(np.quantile(drawn[:, 0], shares))
    assert percentile(drawn)[:, 0] == pytest.approx(np.quantile(drawn[:, 0], [0.025, 0.975]))


def test_where_nothing_can_be_said_there_is_no_interval():
    alone = Sums(np.array([[3.0]]), np.array([[5.0]]))
    assert np.isnan(interval(alone, seed=0, resamples=100)).all()
    never = Sums(np.zeros((4, 1)), np.zeros((4, 1)))
    assert np.isnan(interval(never, seed=0, resamples=100)).all()
    once = Sums(np.array([[1.0], [0.0], [0.0]]), np.array([[2.0], [0.0], [0.0]]))
    assert interval(once, seed=0, resamples=200)[:, 0] == pytest.approx([0.5, 0.5])
    alike = Sums(np.ones((6, 1)), np.ones((6, 1)))
    assert interval(alike, seed=0, resamples=200)[:, 0] == pytest.approx([1.0, 1.0])


@given(
    groups=st.integers(1, 6),
    columns=st.lists(st.sampled_from(["missing", "in one group", "alike", "varied"]), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_missing_and_degenerate_columns_warn_of_nothing_and_change_no_other(groups: int, columns: list[str], seed: int):
    """Warnings are errors here: `bca` once took the mean of an empty slice."""
    top, bottom = np.zeros((2, groups, len(columns)))
    for column, what in enumerate(columns):
        if what in ("alike", "varied"):
            bottom[:, column] = 2.0
            top[:, column] = 1.0 if what == "alike" else np.arange(groups) % 3
        elif what == "in one group":
            top[0, column], bottom[0, column] = 1.0, 2.0
    one = Sums(top, bottom)
    assert np.isnan(one.ratio).tolist() == [what == "missing" for what in columns]
    drawn, left_out = resampled(one, seed=seed, resamples=40), without_each(one)
    every = bca(one.ratio, drawn, left_out)
    for column, what in enumerate(columns):
        own = bca(one.ratio[[column]], drawn[:, [column]], left_out[:, [column]])
        assert np.array_equal(every[:, [column]], own, equal_nan=True)
        if what == "missing":
            assert np.isnan(own).all()
        elif what == "alike":
            assert own.ravel().tolist() == [0.5, 0.5]
        elif not np.isnan(own).any():
            assert own[0, 0] <= own[1, 0]
    told = interval(one, seed=seed, resamples=40)
    assert np.isnan(told).all() if groups == 1 else np.array_equal(told, every, equal_nan=True)


def covered(*, clustered: bool, worlds: int = 150) -> float:
    """How often the interval holds the truth: 25 patients with 8 questions, who differ a lot."""
    chance, hits = np.random.default_rng(20), 0
    for world in range(worlds):
        rates = chance.beta(1.2, 0.8, size=25)
        values = (chance.random((25, 8)) < rates[:, None]).astype(float).reshape(-1, 1)
        names = [f"{place:02}" for place in np.repeat(np.arange(25), 8)] if clustered else [f"{n:03}" for n in range(200)]
        low, high = interval(sums(values, np.ones_like(values), names), seed=world, resamples=400)[:, 0]
        hits += low <= 0.6 <= high
    return hits / worlds


def test_drawing_patients_covers_the_truth_where_drawing_questions_does_not():
    assert covered(clustered=True) >= 0.88
    assert covered(clustered=False) <= 0.75


@given(trials=st.integers(1, 400), share=st.floats(0, 1))
@settings(deadline=None)
def test_wilson_is_that_of_statsmodels(trials: int, share: float):
    hits = round(share * trials)
    assert wilson(hits, trials) == pytest.approx(proportion_confint(hits, trials, method="wilson"), abs=1e-9)


def test_wilson_without_trials_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_alike_questions_of_a_patient_are_worth_one():
    groups = np.array([10.0, 0.0] * 20)
    assert effective(groups, np.full(40, 10.0)) == pytest.approx(40, rel=0.03)
    assert effective(np.ones(40), np.ones(40)) == 40
    assert effective(np.full(40, 10.0), np.full(40, 10.0)) == 40
    assert effective(np.array([5.0]), np.array([10.0])) == 1
    mixed = np.random.default_rng(0).binomial(10, 0.5, 400).astype(float)
    assert effective(mixed, np.full(400, 10.0)) == pytest.approx(4000, rel=0.2)
