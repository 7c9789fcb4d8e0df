"""How sure a mean or a ratio is: intervals and tests that know that the questions of a patient hang together.

Everything is a ratio of sums, Σ top / Σ bottom: a mean has ones at the bottom, a cumulative IoU has areas. Sums are taken
by group (patient, study, …) first, and whole groups are drawn. All draws come from a seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

LEVEL = 0.95
_AT_ONCE = 1 << 22
"""Draws times groups held in memory at a time."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums by group of measures that are ratios."""

    top: np.ndarray
    """G×M float64."""
    bottom: np.ndarray
    """G×M float64, not negative."""

    @property
    def ratio(self) -> np.ndarray:
        """M ratios, float64; nan where the bottom is 0."""
        return _ratio(self.top.sum(axis=0), self.bottom.sum(axis=0))

    def drawn(self, counts: np.ndarray) -> np.ndarray:
        """R×M ratios where each group counts as often as R×G `counts` say; nan where the bottom is 0."""
        return _ratio(counts @ self.top, counts @ self.bottom)


def sums(top: np.ndarray, bottom: np.ndarray, groups: Sequence[str] | np.ndarray) -> Sums:
    """Rows (N×M) added up by the group that each belongs to, in sorted order of the groups."""
    names, place = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    shape = (len(names), np.atleast_2d(top.T).shape[0])
    by_group = Sums(np.zeros(shape), np.zeros(shape))
    np.add.at(by_group.top, place, top.reshape(len(place), shape[1]))
    np.add.at(by_group.bottom, place, bottom.reshape(len(place), shape[1]))
    return by_group


def draws(groups: int, *, seed: int | Sequence[int], resamples: int) -> Iterator[np.ndarray]:
    """How often each group is drawn: arrays of R'×G float64, together `resamples` rows."""
    chance = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // max(groups, 1))
    for first in range(0, resamples, at_once):
        rows = min(at_once, resamples - first)
        drawn = chance.integers(0, groups, size=(rows, groups)) + np.arange(rows)[:, None] * groups
        yield np.bincount(drawn.ravel(), minlength=rows * groups).reshape(rows, groups).astype(np.float64)


def resampled(one: Sums, *, seed: int | Sequence[int], resamples: int) -> np.ndarray:
    """R×M ratios of drawn groups; nan where the bottom of a draw is 0."""
    parts = [one.drawn(counts) for counts in draws(len(one.top), seed=seed, resamples=resamples)]
    return np.concatenate(parts) if parts else np.zeros((0, one.top.shape[1]))


def without_each(one: Sums) -> np.ndarray:
    """G×M ratios, each without one group (the jackknife)."""
    return _ratio(one.top.sum(axis=0) - one.top, one.bottom.sum(axis=0) - one.bottom)


def percentile(drawn: np.ndarray, *, level: float = LEVEL) -> np.ndarray:
    """2×M: the lower and upper end of the percentile interval of R×M draws; nan where no draw has a value."""
    return _quantiles(drawn, np.array([[(1 - level) / 2], [(1 + level) / 2]]) * np.ones(drawn.shape[1]))


def bca(estimate: np.ndarray, drawn: np.ndarray, left_out: np.ndarray, *, level: float = LEVEL) -> np.ndarray:
    """2×M: the bias-corrected and accelerated interval (Efron 1987); the percentile interval where all draws agree.

    Args:
        estimate: M ratios.
        drawn: R×M, from `resampled`.
        left_out: G×M, from `without_each`.
        level: Share of the distribution inside.
    """
    below = _mean(np.where(np.isnan(drawn), np.nan, (drawn < estimate) + 0.5 * (drawn == estimate)))
    shift = _normal_point(np.clip(below, 1 / (len(drawn) + 1), len(drawn) / (len(drawn) + 1)))
    gap = _mean(left_out) - left_out
    spread = np.nansum(gap**2, axis=0) ** 1.5
    acceleration = np.divide(np.nansum(gap**3, axis=0), 6 * spread, out=np.zeros_like(spread), where=spread > 0)
    ends = shift + _normal_point(np.array([[(1 - level) / 2], [(1 + level) / 2]]))
    return _quantiles(drawn, _normal_share(shift + ends / (1 - acceleration * ends)))


def interval(one: Sums, *, seed: int | Sequence[int], resamples: int, method: str = "bca", level: float = LEVEL) -> np.ndarray:
    """2×M: lower and upper ends for the ratios of G groups; nan where there are fewer than two groups.

    Args:
        one: Sums by group.
        seed: Of the draws.
        resamples: How many draws.
        method: `bca` or `percentile`.
        level: Share of the distribution inside.
    """
    if len(one.top) < 2 or not resamples:
        return np.full((2, one.top.shape[1]), np.nan)
    drawn = resampled(one, seed=seed, resamples=resamples)
    if method == "percentile":
        return percentile(drawn, level=level)
    return bca(one.ratio, drawn, without_each(one), level=level)


def wilson(hits: float, trials: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval for a proportion of independent trials (Wilson 1927); (0, 1) without trials."""
    if trials <= 0:
        return 0.0, 1.0
    z, share = _NORMAL.inv_cdf((1 + level) / 2), hits / trials
    middle, wide = share + z * z / (2 * trials), z * (share * (1 - share) / trials + z * z / (4 * trials * trials)) ** 0.5
    return max(0.0, (middle - wide) / (1 + z * z / trials)), min(1.0, (middle + wide) / (1 + z * z / trials))


def effective(top: np.ndarray, bottom: np.ndarray) -> float:
    """How many independent trials the hits (G,) of groups of so many trials (G,) are worth, for Wilson's interval.

    Trials over the design effect (Kish 1965), between the number of groups and of trials where all groups are alike; the
    number of groups where every trial came out the same, since nothing then tells how alike the trials of a group are.
    """
    trials, groups = float(bottom.sum()), int((bottom > 0).sum())
    if groups < 2:
        return float(min(groups, trials))
    share = top.sum() / trials
    if share in (0.0, 1.0):
        return float(groups)
    variance = ((top - share * bottom) ** 2).sum() * groups / (groups - 1) / trials**2
    return float(min(trials, share * (1 - share) / variance)) if variance > 0 else trials


def _mean(rows: np.ndarray) -> np.ndarray:
    """M means of the values that there are in R×M; nan where there are none."""
    return _ratio(np.nansum(rows, axis=0), (~np.isnan(rows)).sum(axis=0))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=bottom > 0)


def _quantiles(drawn: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Quantiles of each column of R×M at its own shares (2×M), those without a value left out."""
    ends = np.full(shares.shape, np.nan)
    for column in range(drawn.shape[1]):
        values = drawn[~np.isnan(drawn[:, column]), column]
        if values.size and not np.isnan(shares[:, column]).any():
            ends[:, column] = np.quantile(values, shares[:, column])
    return ends


def _normal_point(shares: np.ndarray) -> np.ndarray:
    return np.vectorize(lambda share: np.nan if np.isnan(share) else _NORMAL.inv_cdf(share), otypes=[float])(shares)


def _normal_share(points: np.ndarray) -> np.ndarray:
    return np.vectorize(lambda point: np.nan if np.isnan(point) else _NORMAL.cdf(point), otypes=[float])(points)
