"""Whether one way of training is better than another, over several seeds and the same questions.

Two things are drawn by chance: the seed, with the samples and the weights that it brings, and the questions, which come in
groups (patients). The mean difference is judged against the variance from both (Cameron, Gelbach and Miller 2011), by Student's
t with degrees of freedom after Satterthwaite: seeds less one where seeds make the variance, groups less one where questions
do. With one seed it speaks of that pair of models alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05
MARGIN = 0.05
"""A difference of accuracy below this is called none, where it can be shown to be smaller."""
HOLDS, FAILS, OPEN = "holds", "doesn't hold", "can't be told"


@dataclass(frozen=True, slots=True)
class Difference:
    """Arm less the one it is set against, as shares of 1."""

    mean: float
    low: float
    high: float
    """The interval of 95 %."""
    p: float
    """Two-sided."""
    seeds: int
    groups: int


def difference(arm: np.ndarray, against: np.ndarray, groups: Sequence[str]) -> Difference:
    """The difference of two models' scores.

    Args:
        arm: S×Q float64, a row per seed, a column per question.
        against: The same, or 1×Q for a model that has no seed.
        groups: Of the Q questions.
    """
    from scipy.stats import t as student

    gap = arm - against
    seeds, questions = gap.shape
    names, place = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    mean = float(gap.mean())
    variance, freedom = _variance(gap - mean, place, len(names))
    error = np.sqrt(max(variance, (0.5 / (seeds * questions)) ** 2))
    reach = float(student.ppf(1 - LEVEL / 2, freedom)) * error
    p = float(2 * student.sf(abs(mean) / error, freedom)) if mean else 1.0
    return Difference(mean, max(-1.0, mean - reach), min(1.0, mean + reach), min(1.0, p), seeds, len(names))


def verdict(interval: tuple[float, float], p_holm: float, expects: str, *, margin: float = MARGIN) -> str:
    """Whether what was expected (`gain`, `loss` or `none`) holds, doesn't, or can't be told, by interval and adjusted p."""
    low, high = interval
    if expects == "none":
        if p_holm < LEVEL:
            return FAILS
        return HOLDS if -margin < low and high < margin else OPEN
    least, most = (low, high) if expects == "gain" else (-high, -low)
    if p_holm < LEVEL:
        return HOLDS if least + most > 0 else FAILS
    return FAILS if most < margin else OPEN


def _variance(gap: np.ndarray, place: np.ndarray, groups: int) -> tuple[float, float]:
    """Of the mean, from S×Q deviations: by seeds, by groups, less what both count, never below the larger of the two; and
    its degrees of freedom.
    """
    seeds, questions = gap.shape
    cell = np.zeros((seeds, groups))
    for row in range(seeds):
        cell[row] = np.bincount(place, gap[row], groups)
    cell /= seeds * questions
    by_group = _corrected((cell.sum(axis=0) ** 2).sum(), groups)
    if seeds == 1:
        return by_group, max(1.0, groups - 1)
    by_seed = _corrected((cell.sum(axis=1) ** 2).sum(), seeds)
    both = _corrected((cell**2).sum(), seeds * groups)
    weights = by_seed**2 / (seeds - 1) + (by_group**2 / (groups - 1) if groups > 1 else 0.0)
    freedom = (by_seed + by_group) ** 2 / weights if weights else seeds - 1
    return max(by_seed + by_group - both, by_seed, by_group), float(freedom)


def _corrected(squares: float, count: int) -> float:
    return float(squares) * count / (count - 1) if count > 1 else 0.0
