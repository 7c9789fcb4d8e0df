"""Tests of differences against statsmodels and scipy, and in worlds with and without one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as theirs

from medloom.train.scoring.paired import chi_squared_p, difference, exact_p, mcnemar, swapped_p
from medloom.train.scoring.statistics import interval, sums

counts = st.integers(0, 60)


@given(only_a=counts, only_b=counts, both=st.integers(0, 5))
@settings(deadline=None)
def test_mcnemar_is_that_of_statsmodels(only_a: int, only_b: int, both: int):
    table = [[both, only_a], [only_b, 3]]
    a = [1.0] * (both + only_a) + [0.0] * (only_b + 3)
    b = [1.0] * both + [0.0] * only_a + [1.0] * only_b + [0.0] * 3
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b, found.form) == (only_a, only_b, "exact")
    assert found.p == pytest.approx(theirs(table, exact=True).pvalue, abs=1e-9)
    if only_a + only_b and only_a != only_b:
        assert mcnemar(a, b, many=0).p == pytest.approx(theirs(table, exact=False, correction=True).pvalue)


def test_many_discordant_pairs_take_chi_squared():
    found = mcnemar([1.0] * 700 + [0.0] * 500, [0.0] * 700 + [1.0] * 500)
    assert found.form == "chi-squared"
    assert found.p == pytest.approx(stats.chi2.sf((200 - 1) ** 2 / 1200, 1))
    assert found.p == pytest.approx(exact_p(700, 500), rel=0.1)
    assert chi_squared_p(0, 0) == exact_p(0, 0) == chi_squared_p(4, 4) == 1.0


def pair(gain: float, *, groups: int = 40, seed: int = 0):
    """Two runs over the same questions of 5 per group; the first is better by `gain`."""
    chance = np.random.default_rng(seed)
    names = [f"{place:03}" for place in np.repeat(np.arange(groups), 5)]
    level = np.repeat(chance.normal(0.5, 0.2, groups), 5)
    runs = [level + shift + chance.normal(0, 0.1, groups * 5) for shift in (gain, 0.0)]
    return [sums(run[:, None], np.ones((groups * 5, 1)), names) for run in runs], runs


def test_a_difference_of_pairs_is_the_mean_of_differences():
    (a, b), (one, other) = pair(0.05)
    names = [f"{place:03}" for place in np.repeat(np.arange(40), 5)]
    gap = sums((one - other)[:, None], np.ones((200, 1)), names)
    assert difference(a, b, seed=3, resamples=500) == pytest.approx(interval(gap, seed=3, resamples=500))
    assert difference(a, b, seed=3, resamples=500, method="percentile") == pytest.approx(
        interval(gap, seed=3, resamples=500, method="percentile")
    )


def test_a_difference_is_seen_and_none_is_not():
    (a, b), _ = pair(0.05)
    low, high = difference(a, b, seed=0, resamples=1000)[:, 0]
    assert 0 < low < 0.05 < high
    assert swapped_p(a, b, seed=0, resamples=999)[0] == 1 / 1000
    (a, b), _ = pair(0.0, seed=2)
    low, high = difference(a, b, seed=0, resamples=1000)[:, 0]
    assert low < 0 < high
    assert swapped_p(a, b, seed=0, resamples=999)[0] > 0.05


def test_swapping_is_scipys_permutation_of_pairs():
    (a, b), _ = pair(0.02, groups=10, seed=5)
    ours = swapped_p(a, b, seed=0, resamples=20_000)[0]
    exact = stats.permutation_test(
        (a.top[:, 0], b.top[:, 0]), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert ours == pytest.approx(exact, abs=0.015)


def test_false_alarms_are_as_rare_as_the_level_says():
    alarms = [
        swapped_p(*pair(0.0, groups=15, seed=100 + world)[0], seed=world, resamples=199)[0] <= 0.05 for world in range(200)
    ]
    assert 0.01 <= np.mean(alarms) <= 0.10


def test_alike_runs_differ_by_nothing():
    (a, _), _ = pair(0.0)
    assert swapped_p(a, a, seed=0, resamples=99)[0] == 1.0
    assert difference(a, a, seed=0, resamples=99)[:, 0] == pytest.approx([0.0, 0.0])
    (alone, other), _ = pair(0.1, groups=1)
    assert np.isnan(difference(alone, other, seed=0, resamples=99)).all()
