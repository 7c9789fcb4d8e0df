"""The paired test over seeds and questions: its rate of false alarms, and the cases in which it must speak or be silent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medloom.train.experiments.significance import FAILS, HOLDS, OPEN, difference, verdict


def test_one_question_per_group_and_seed_variance_alone_is_the_paired_t_test():
    """Where all questions of a seed move together, seeds are all there is."""
    gaps = np.array([0.1, 0.25, 0.3, 0.15, 0.2])
    arm = np.repeat(gaps[:, None], 40, axis=1)
    found = difference(arm, np.zeros_like(arm), [str(one) for one in range(40)])
    wanted = stats.ttest_1samp(gaps, 0.0)
    assert found.mean == pytest.approx(gaps.mean())
    assert found.p == pytest.approx(wanted.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(wanted.confidence_interval()))


def test_with_one_seed_it_is_the_t_test_over_groups():
    random = np.random.default_rng(3)
    gap = random.normal(0.1, 1, (1, 30)).clip(-1, 1)
    found = difference(gap, np.zeros((1, 30)), [str(one) for one in range(30)])
    assert found.p == pytest.approx(stats.ttest_1samp(gap[0], 0.0).pvalue)


def test_chance_is_rarely_called_a_difference():
    """Models that guess, with a habit of their own, on questions of like groups: no more than the level, or near it."""
    random, alarms, times = np.random.default_rng(5), 0, 400
    groups = [str(one // 2) for one in range(60)]
    truth = random.integers(0, 2, 60)
    for _ in range(times):
        habits = random.beta(1, 1, (2, 5, 1))
        arm, against = (random.random((2, 5, 60)) < habits).astype(float) == truth
        alarms += difference(arm.astype(float), against.astype(float), groups).p < 0.05
    assert alarms <= 0.08 * times


def test_groups_whose_questions_hang_together_widen_the_interval():
    random = np.random.default_rng(7)
    each = (random.random((5, 20)) < 0.6).astype(float)
    whole = np.repeat(each.mean(axis=0, keepdims=True), 5, axis=0)
    arm = np.repeat(whole, 4, axis=1)
    alone = difference(arm, np.full_like(arm, 0.5), [str(one) for one in range(80)])
    joined = difference(arm, np.full_like(arm, 0.5), [str(one // 4) for one in range(80)])
    assert joined.mean == pytest.approx(alone.mean)
    assert joined.high - joined.low > alone.high - alone.low


def test_no_difference_at_all_has_no_significance():
    same = np.ones((5, 10))
    assert difference(same, same, list("abcdefghij")).p == 1.0


@pytest.mark.parametrize(
    ("interval", "p", "expects", "said"),
    [
        ((0.1, 0.3), 0.001, "gain", HOLDS),
        ((-0.3, -0.1), 0.001, "gain", FAILS),
        ((-0.1, 0.3), 0.2, "gain", OPEN),
        ((-0.1, 0.04), 0.2, "gain", FAILS),
        ((-0.3, -0.1), 0.001, "loss", HOLDS),
        ((-0.04, 0.1), 0.2, "loss", FAILS),
        ((-0.04, 0.04), 0.9, "none", HOLDS),
        ((-0.1, 0.1), 0.9, "none", OPEN),
        ((0.1, 0.3), 0.001, "none", FAILS),
    ],
)
def test_what_is_said_of_an_expectation(interval, p, expects, said):
    assert verdict(interval, p, expects) == said
