"""Two models on the same questions: is one better, or is it luck?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...generation.baseline.significance import at_least
from .statistics import LEVEL, Sums, bca, draws, percentile, without_each

MANY = 1000
"""Discordant pairs beyond which McNemar's test takes the chi-squared form."""
_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True)
class McNemar:
    """The test of two proportions over the same questions; it takes questions for independent."""

    only_a: int
    """Right in the first alone."""
    only_b: int
    p: float
    """Two-sided."""
    form: str
    """`exact`, or `chi-squared` with continuity correction."""


def mcnemar(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray, *, many: int = MANY) -> McNemar:
    """McNemar's test of paired hits (0 or 1): exact binomial, or chi-squared for more than `many` discordant pairs."""
    one, other = np.asarray(a) > 0.5, np.asarray(b) > 0.5
    only_a, only_b = int((one & ~other).sum()), int((other & ~one).sum())
    if only_a + only_b > many:
        return McNemar(only_a, only_b, chi_squared_p(only_a, only_b), "chi-squared")
    return McNemar(only_a, only_b, exact_p(only_a, only_b), "exact")


def exact_p(only_a: int, only_b: int) -> float:
    """The two-sided probability, under even odds, of discordant pairs falling so unevenly."""
    return min(1.0, 2 * at_least(max(only_a, only_b), only_a + only_b, 0.5))


def chi_squared_p(only_a: int, only_b: int) -> float:
    """The same by the continuity-corrected chi-squared of one degree of freedom (Edwards 1948); 1 without pairs."""
    if not only_a + only_b:
        return 1.0
    squared = max(abs(only_a - only_b) - 1, 0) ** 2 / (only_a + only_b)
    return math.erfc(math.sqrt(squared / 2))


def difference(
    a: Sums, b: Sums, *, seed: int | Sequence[int], resamples: int, method: str = "bca", level: float = LEVEL
) -> np.ndarray:
    """2×M: the interval of ratio a minus ratio b, the same groups being drawn for both; nan below two groups.

    Args:
        a: G×M sums of the first.
        b: Of the second, over the same groups in the same order.
        seed: Of the draws.
        resamples: How many.
        method: `bca` or `percentile`.
        level: Share of the distribution inside.
    """
    groups, measures = a.top.shape
    if groups < 2 or not resamples:
        return np.full((2, measures), np.nan)
    every = draws(groups, seed=seed, resamples=resamples)
    drawn = np.concatenate([a.drawn(some) - b.drawn(some) for some in every])
    if method == "percentile":
        return percentile(drawn, level=level)
    return bca(a.ratio - b.ratio, drawn, without_each(a) - without_each(b), level=level)


def swapped_p(a: Sums, b: Sums, *, seed: int | Sequence[int], resamples: int) -> np.ndarray:
    """M two-sided probabilities of so large a difference if it were chance which model gave which group's replies.

    A permutation test: the two models' replies to a whole group change places, or don't, at even odds. The observed
    arrangement counts as one of the draws, so that no probability is 0; nan without a group.
    """
    groups, measures = a.top.shape
    if not groups or not resamples:
        return np.full(measures, np.nan)
    observed, chance = np.abs(a.ratio - b.ratio), np.random.default_rng(seed)
    at_least_so, at_once = np.zeros(measures), max(1, _AT_ONCE // groups)
    for first in range(0, resamples, at_once):
        swap = chance.integers(0, 2, size=(min(at_once, resamples - first), groups)).astype(np.float64)
        gap = np.abs(_swapped(a, b, swap) - _swapped(b, a, swap))
        at_least_so += (gap >= observed - 1e-12).sum(axis=0)
    return np.where(np.isnan(observed), np.nan, (at_least_so + 1) / (resamples + 1))


def _swapped(own: Sums, other: Sums, swap: np.ndarray) -> np.ndarray:
    """R×M ratios of one model where the groups marked 1 in R×G are the other's."""
    top = own.top.sum(axis=0) + swap @ (other.top - own.top)
    bottom = own.bottom.sum(axis=0) + swap @ (other.bottom - own.bottom)
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
